//! Places at the quantiles of the Beta distribution (Lee et al. 2024, "Beta Sampling is All You Need", arXiv 2407.12173).

use crate::math::linspace;

/// `n` noise-to-signal ratios from `most` to `least` that divide the way between them as the quantiles of
/// Beta(`a`, `b`) at 1, .., 0 (diffusers' `use_beta_sigmas`); `most` alone where `n` is 1.
pub fn beta(most: f64, least: f64, a: f64, b: f64, n: usize) -> Vec<f64> {
    let part = |p: f64| beta_quantile(p, a, b);
    linspace(1.0, 0.0, n).into_iter().map(|p| least + part(p) * (most - least)).collect()
}

/// The `x` in 0..=1 up to which the distribution Beta(`a`, `b`) holds the probability `p`, for positive `a` and `b`:
/// Newton's method on the distribution function, with a bisection wherever it would leave the bracket.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return p.clamp(0.0, 1.0);
    }
    let (mut low, mut high, mut x) = (0.0, 1.0, a / (a + b));
    // Bisection alone reaches the smallest numbers; Newton's method takes a handful of these rounds.
    for _ in 0..200 {
        let excess = regularised(x, a, b) - p;
        if excess > 0.0 {
            high = x
        } else {
            low = x
        }
        let density = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta(a, b)).exp();
        let newton = x - excess / density;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - x).abs() <= f64::EPSILON * x {
            return next;
        }
        x = next;
    }
    x
}

/// Regularised incomplete beta function `I_x(a, b)`, the distribution function of Beta(`a`, `b`) (DLMF 8.17.22, a
/// continued fraction, evaluated by Lentz's method on the side of the mean where it converges fast).
fn regularised(x: f64, a: f64, b: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularised(1.0 - x, b, a);
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp() / a;
    let away = |v: f64| if v.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { v };
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for i in 1..500 {
        let m = f64::from(i / 2);
        let (odd, even) = ((a + m) * (a + b + m) / (a + 2.0 * m + 1.0), m * (b - m) / (a + 2.0 * m - 1.0));
        let term = if i % 2 == 1 { -odd } else { even } * x / (a + 2.0 * m);
        d = 1.0 / away(1.0 + term * d);
        c = away(1.0 + term / c);
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    front / value
}

fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.beta.ppf(i / 7, a, b)` for `i` from 7 to 1, scipy at double precision.
    #[test]
    fn quantiles_are_those_of_scipy() {
        let cases = [
            (
                (0.6, 0.6),
                [
                    1.0,
                    0.9288579738296403,
                    0.7831485673796132,
                    0.5985700470468549,
                    0.4014299529531451,
                    0.21685143262038686,
                    0.07114202617035982,
                ],
            ),
            (
                (2.0, 5.0),
                [
                    1.0,
                    0.46753424604002336,
                    0.3683636198920911,
                    0.2961320613536659,
                    0.23434962595275038,
                    0.17594726185901785,
                    0.1140140955318163,
                ],
            ),
            (
                (0.25, 10.0),
                [
                    1.0,
                    0.054503638029423415,
                    0.021160450421133035,
                    0.007907076949234907,
                    0.002405985963165917,
                    0.0004686982208842844,
                    2.9201149958509406e-05,
                ],
            ),
        ];
        for ((a, b), expected) in cases {
            for (i, expected) in (1..=7).rev().zip(expected) {
                let got = beta_quantile(f64::from(i) / 7.0, a, b);
                assert!((got / expected - 1.0).abs() < 1e-13, "{i} / 7 of Beta({a}, {b}): {got}, not {expected}");
            }
        }
    }
}
