//! The variance-preserving and sub-variance-preserving SDEs of score-based models, in continuous time.

use super::{NoiseSchedule, Rates};
use crate::math::Level;

/// The variance-preserving SDE in continuous time (Song et al. 2021, arXiv 2011.13456, equation 33 and appendix C):
/// `beta(t)` rises linearly for `t` in 0..1, and `ln alpha = -(beta_max - beta_min) t^2 / 4 - beta_min t / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContinuousVp {
    pub beta_min: f64,
    pub beta_max: f64,
}

impl Default for ContinuousVp {
    /// The paper's 0.1 and 20.
    fn default() -> Self {
        Self { beta_min: 0.1, beta_max: 20.0 }
    }
}

impl ContinuousVp {
    fn beta(&self, t: f64) -> f64 {
        self.beta_min + t.clamp(0.0, 1.0) * (self.beta_max - self.beta_min)
    }

    /// `-2 ln alpha`: the integral of `beta` up to `t`.
    fn faded(&self, t: f64) -> f64 {
        t * (0.5 * t * (self.beta_max - self.beta_min) + self.beta_min)
    }

    /// The time at which `-2 ln alpha` is `c`, brought into 0..1.
    fn time_of(&self, c: f64) -> f64 {
        // The root of a t^2 + b t = c in the form that does not cancel for a small c.
        let (a, b) = (0.5 * (self.beta_max - self.beta_min), self.beta_min);
        let t = if c.is_infinite() { 1.0 } else { 2.0 * c / (b + (b * b + 4.0 * a * c).sqrt()) };
        t.clamp(0.0, 1.0)
    }
}

impl NoiseSchedule for ContinuousVp {
    fn level(&self, t: f64) -> Level {
        let t = t.clamp(0.0, self.t_max());
        Level::variance_preserving(t, self.faded(t).exp_m1().sqrt())
    }

    fn level_at(&self, nsr: f64) -> Level {
        Level::variance_preserving(self.time_of((nsr * nsr).ln_1p()), nsr)
    }

    fn rates(&self, t: f64) -> Rates {
        let beta = self.beta(t);
        Rates { drift: -0.5 * beta, diffusion: beta }
    }

    /// 0.001, where the paper's samplers stop (appendix C).
    fn t_min(&self) -> f64 {
        1e-3
    }

    fn t_max(&self) -> f64 {
        1.0
    }
}

/// The sub-variance-preserving SDE (Song et al. 2021, arXiv 2011.13456, section 3.4 and appendix C): the signal of
/// [`ContinuousVp`] with less noise on the way, `sigma = 1 - alpha^2`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SubVp(pub ContinuousVp);

impl NoiseSchedule for SubVp {
    fn level(&self, t: f64) -> Level {
        let t = t.clamp(0.0, self.t_max());
        let faded = self.0.faded(t);
        Level { t, alpha: (-0.5 * faded).exp(), sigma: -(-faded).exp_m1() }
    }

    fn level_at(&self, nsr: f64) -> Level {
        // The positive root of alpha^2 + nsr alpha = 1, and -ln alpha without cancellation: asinh(nsr / 2).
        let alpha = 2.0 / (nsr + nsr.hypot(2.0));
        let sigma = if nsr.is_infinite() { 1.0 } else { alpha * nsr };
        Level { t: self.0.time_of(2.0 * (0.5 * nsr).asinh()), alpha, sigma }
    }

    fn rates(&self, t: f64) -> Rates {
        let (beta, alpha) = (self.0.beta(t), self.level(t).alpha);
        Rates { drift: -0.5 * beta, diffusion: beta * (1.0 - alpha.powi(4)) }
    }

    fn t_min(&self) -> f64 {
        self.0.t_min()
    }

    fn t_max(&self) -> f64 {
        self.0.t_max()
    }
}
