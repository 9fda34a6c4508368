//! The forward process between two levels, and its posterior.

use super::Level;

/// The forward process from a level `s` to a noisier one `t`, `q(x_t | x_s) = N(alpha_t / alpha_s x_s, beta)`, and its
/// posterior `q(x_s | x_t, x_0) = N(mu-tilde, beta-tilde)` (Ho et al. 2020, arXiv 2006.11239, equations 6 and 7), on any two
/// levels. Both are written with the ratio `r = nsr_s / nsr_t`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    t: Level,
    s: Level,
    r: f64,
}

impl Posterior {
    /// `None` where `s` is not the less noisy one.
    pub fn new(t: Level, s: Level) -> Option<Self> {
        (s.nsr() < t.nsr()).then(|| Self { t, s, r: s.nsr() / t.nsr() })
    }

    /// `1 - r^2`: the share of the noise of `t` that is fresh since `s`.
    fn fresh(&self) -> f64 {
        1.0 - self.r * self.r
    }

    /// The coefficients of `x_t` and `x_0` in the mean `mu-tilde`.
    pub fn mean(&self) -> (f64, f64) {
        (self.r * self.s.sigma / self.t.sigma, self.s.alpha * self.fresh())
    }

    /// `beta-tilde = sigma_s^2 (1 - r^2)`, the variance of the posterior.
    pub fn variance(&self) -> f64 {
        self.s.sigma * self.s.sigma * self.fresh()
    }

    /// `beta = sigma_t^2 (1 - r^2)`, the variance of the forward process from `s` to `t`.
    pub fn forward_variance(&self) -> f64 {
        self.t.sigma * self.t.sigma * self.fresh()
    }

    /// `alpha_t / alpha_s`: what the forward process scales `x_s` by.
    pub fn forward_scale(&self) -> f64 {
        self.t.alpha / self.s.alpha
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Discrete, NoiseSchedule};

    /// On neighbouring timesteps these are the coefficients as Ho et al. write them, with `beta_t` and the products
    /// `alpha-bar`.
    #[test]
    fn neighbouring_timesteps_have_the_coefficients_of_the_paper() {
        let schedule = Discrete::linear(1e-4, 0.02, 1000).unwrap();
        for t in [1_usize, 2, 10, 500, 999] {
            let beta = 1e-4 + (0.02 - 1e-4) * t as f64 / 999.0;
            let [at, before] = [t, t - 1].map(|t| schedule.level(t as f64));
            let [bar, bar_before] = [at, before].map(|level| level.alpha * level.alpha);
            let posterior = Posterior::new(at, before).unwrap();
            let (of_x, of_x0) = posterior.mean();
            let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "t = {t}: {a} {b}");
            close(posterior.forward_variance(), beta);
            close(posterior.forward_scale(), (1.0 - beta).sqrt());
            close(of_x, (1.0 - beta).sqrt() * (1.0 - bar_before) / (1.0 - bar));
            close(of_x0, bar_before.sqrt() * beta / (1.0 - bar));
            close(posterior.variance(), (1.0 - bar_before) / (1.0 - bar) * beta);
        }
    }

    #[test]
    fn the_ends_of_a_process_are_no_exception() {
        let noise = Level { t: 1.0, alpha: 0.0, sigma: 1.0 };
        let half = Level { t: 0.5, alpha: 0.6, sigma: 0.8 };
        let last = Posterior::new(half, Level::CLEAN).unwrap();
        let whole = half.sigma * half.sigma;
        assert_eq!((last.mean(), last.variance(), last.forward_variance()), ((0.0, 1.0), 0.0, whole));
        let first = Posterior::new(noise, half).unwrap();
        assert_eq!((first.mean(), first.variance(), first.forward_variance()), ((0.0, 0.6), whole, 1.0));
        assert_eq!(Posterior::new(half, half), None);
        assert_eq!(Posterior::new(half, noise), None);
    }
}
