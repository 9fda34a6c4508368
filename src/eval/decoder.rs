//! The last step of the variational bound: from the least noisy point to data.

use super::pixels::bin;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// What `p(x_0 | x_1)` is, around a mean and with a standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoder {
    /// A density over the reals, for continuous data.
    Gaussian,
    /// The probability of each of 256 grey levels in `range`: the normal distribution's mass in the level's bin, with the outer
    /// bins open (Ho et al. 2020, arXiv 2006.11239, equation 13).
    Pixels { range: [f64; 2] },
}

impl Decoder {
    /// `ln p(x_0 | x_1)` in nats.
    pub(super) fn log_likelihood(&self, x0: &[f64], mean: &[f64], std: f64) -> f64 {
        let offsets = x0.iter().zip(mean).map(|(x, m)| (x, (x - m) / std));
        match *self {
            Self::Gaussian => gaussian(offsets.map(|(_, d)| d * d).sum(), x0.len(), std),
            Self::Pixels { range } => {
                let half = 0.5 * bin(range);
                let mass = |(x, d): (&f64, f64)| {
                    let low = if *x - half < range[0] { f64::NEG_INFINITY } else { d - half / std };
                    let high = if *x + half > range[1] { f64::INFINITY } else { d + half / std };
                    log_mass(low, high)
                };
                offsets.map(mass).sum()
            }
        }
    }
}

/// `ln` of the density of `N(0, std^2)` in `n` dimensions, `square` squared standard deviations from its centre.
pub(crate) fn gaussian(square: f64, n: usize, std: f64) -> f64 {
    -0.5 * square - n as f64 * (std.ln() + 0.5 * TAU.ln())
}

/// `ln (Phi(b) - Phi(a))` of the standard normal, exact also where both ends lie far out on one side.
fn log_mass(a: f64, b: f64) -> f64 {
    if a + b < 0.0 {
        return log_mass(-b, -a);
    }
    if a <= 0.0 {
        return (1.0 - tail(-a) - tail(b)).ln();
    }
    let (near, far) = (log_tail(a), log_tail(b));
    near + (-(far - near).exp()).ln_1p()
}

/// `1 - Phi(a)`.
fn tail(a: f64) -> f64 {
    0.5 * libm::erfc(a * FRAC_1_SQRT_2)
}

/// `ln (1 - Phi(a))` for `a >= 0`: by its asymptotic series (Abramowitz & Stegun 1964, 26.2.12) where the number itself
/// is too small.
fn log_tail(a: f64) -> f64 {
    /// Here the series' fourth term is below 1e-9.
    const FAR: f64 = 30.0;
    if a < FAR {
        return tail(a).ln();
    }
    if a == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    let q = 1.0 / (a * a);
    -0.5 * a * a - a.ln() - 0.5 * TAU.ln() + (-q * (1.0 - q * (3.0 - 15.0 * q))).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: [f64; 2] = [-1.0, 1.0];

    #[test]
    fn the_grey_levels_together_are_certain() {
        for (mean, std) in [(0.1, 0.01), (-1.0, 0.003), (0.7, 3.0), (1.4, 0.2)] {
            let of = |byte: u8| (Decoder::Pixels { range: RANGE }).log_likelihood(&[level(byte)], &[mean], std).exp();
            let total: f64 = (0..=255).map(of).sum();
            assert!((total - 1.0).abs() < 1e-12, "{total}");
        }
    }

    fn level(byte: u8) -> f64 {
        f64::from(byte) / 127.5 - 1.0
    }

    /// In narrow bins the mass is the density times the width.
    #[test]
    fn wide_laws_give_the_density_times_the_bin() {
        let (x, mean, std) = (level(140), -0.4, 0.5);
        let pixels = Decoder::Pixels { range: RANGE }.log_likelihood(&[x], &[mean], std);
        let density = Decoder::Gaussian.log_likelihood(&[x], &[mean], std) + bin(RANGE).ln();
        assert!((pixels - density).abs() < 1e-4, "{pixels} {density}");
    }

    #[test]
    fn far_tails_stay_finite_and_join() {
        let series = log_mass(30.0 + 1e-9, 31.0);
        let plain = log_mass(30.0 - 1e-9, 31.0);
        assert!((series - plain).abs() < 1e-6, "{series} {plain}");
        let far = log_mass(500.0, 501.0);
        assert!((far - (-125_000.0 - 500_f64.ln() - 0.5 * TAU.ln())).abs() < 1e-5, "{far}");
        assert_eq!(log_mass(-501.0, -500.0), far);
        assert!((log_mass(-1.0, 1.0).exp() - 0.682_689_492_137_085_9).abs() < 1e-14);
    }
}
