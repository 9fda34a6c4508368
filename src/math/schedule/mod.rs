//! Noise schedules: how much noise there is at each time.

mod discrete;
mod variance_preserving;

pub use discrete::Discrete;
pub use variance_preserving::{ContinuousVp, SubVp};

use super::Level;
use std::fmt;
use thiserror::Error;

/// How much noise there is at each time of a forward process.
pub trait NoiseSchedule {
    /// The level at time `t`, which is first brought into `0..=t_max`.
    fn level(&self, t: f64) -> Level;

    /// The level with noise-to-signal ratio `nsr`; its time is brought into `0..=t_max`, its ratio is kept.
    fn level_at(&self, nsr: f64) -> Level;

    /// The time at which the noise-to-signal ratio is `nsr`.
    fn time_at(&self, nsr: f64) -> f64 {
        self.level_at(nsr).t
    }

    /// The network's conditioning time at a level.
    fn conditioning_time(&self, at: Level) -> f64 {
        at.t
    }

    /// How fast signal fades and noise comes at time `t`, which is first brought into `0..=t_max`.
    fn rates(&self, t: f64) -> Rates;

    /// The least noisy time that the network was trained at.
    fn t_min(&self) -> f64;

    /// The noisiest time.
    fn t_max(&self) -> f64;

    /// How many whole timesteps `0, 1, ..` the network was trained at; `None` where time is continuous.
    fn timesteps(&self) -> Option<usize> {
        None
    }
}

/// The coefficients of the forward SDE `dx = f x dt + g dw` (Song et al. 2021, arXiv 2011.13456, equation 5; as functions
/// of alpha and sigma in Kingma et al. 2021, arXiv 2107.00630, section 3.1), per unit of a schedule's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// `f = d ln alpha / dt`: not above 0, and minus infinity where the signal ends.
    pub drift: f64,
    /// `g^2 = alpha^2 d(sigma^2 / alpha^2) / dt`: the variance that comes, at least 0.
    pub diffusion: f64,
}

/// Why there is no noise schedule.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ScheduleError {
    #[error("a noise schedule needs {least} to {most} training timesteps, got {got}")]
    Timesteps { got: usize, least: usize, most: usize },
    #[error("beta {index} of the noise schedule is {beta}, but each must leave some signal and add some noise")]
    Beta { index: usize, beta: f64 },
}

/// The variance-exploding SDE (Song et al. 2021, arXiv 2011.13456, appendix C):
/// `sigma = sigma_min (sigma_max / sigma_min)^t` for `t` in 0..1, `alpha = 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ve {
    pub sigma_min: f64,
    pub sigma_max: f64,
}

impl Default for Ve {
    /// The paper's 0.01 and 50 for CIFAR-10.
    fn default() -> Self {
        Self { sigma_min: 0.01, sigma_max: 50.0 }
    }
}

impl NoiseSchedule for Ve {
    fn level(&self, t: f64) -> Level {
        let t = t.clamp(0.0, self.t_max());
        Level::variance_exploding(t, self.sigma_min * (self.sigma_max / self.sigma_min).powf(t))
    }

    fn level_at(&self, nsr: f64) -> Level {
        let t = (nsr / self.sigma_min).ln() / (self.sigma_max / self.sigma_min).ln();
        Level::variance_exploding(t.clamp(0.0, self.t_max()), nsr)
    }

    /// The noise level itself (Song et al. 2021, arXiv 2011.13456, appendix C.1).
    fn conditioning_time(&self, at: Level) -> f64 {
        at.sigma
    }

    fn rates(&self, t: f64) -> Rates {
        let grows = (self.sigma_max / self.sigma_min).ln();
        Rates { drift: 0.0, diffusion: 2.0 * grows * self.level(t).sigma.powi(2) }
    }

    fn t_min(&self) -> f64 {
        0.0
    }

    fn t_max(&self) -> f64 {
        1.0
    }
}

/// The straight path `x_t = (1 - s) x_0 + s z`, `s = t / t_max` (Lipman et al. 2023, arXiv 2210.02747, with noise at
/// the far end as Liu et al. 2022, arXiv 2209.03003).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// The time of pure noise: 1 in the papers, the number of training timesteps for diffusers' networks.
    pub t_max: f64,
}

impl Default for Flow {
    fn default() -> Self {
        Self { t_max: 1.0 }
    }
}

impl NoiseSchedule for Flow {
    fn level(&self, t: f64) -> Level {
        let sigma = (t / self.t_max).clamp(0.0, 1.0);
        Level { t: sigma * self.t_max, alpha: 1.0 - sigma, sigma }
    }

    fn level_at(&self, nsr: f64) -> Level {
        let level = Level::flow(0.0, nsr);
        Level { t: level.sigma * self.t_max, ..level }
    }

    fn rates(&self, t: f64) -> Rates {
        let Level { alpha, sigma, .. } = self.level(t);
        Rates { drift: -1.0 / (alpha * self.t_max), diffusion: 2.0 * sigma / (alpha * self.t_max) }
    }

    /// A thousandth of [`Flow::t_max`], the least time that diffusers' flow matching schedulers visit.
    fn t_min(&self) -> f64 {
        1e-3 * self.t_max
    }

    fn t_max(&self) -> f64 {
        self.t_max
    }
}

/// Any of the noise schedules.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    Discrete(Discrete),
    ContinuousVp(ContinuousVp),
    SubVp(SubVp),
    Ve(Ve),
    Flow(Flow),
}

impl Schedule {
    /// The family of the process: `vp`, `sub-vp`, `ve` or `flow`.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Discrete(_) | Self::ContinuousVp(_) => "vp",
            Self::SubVp(_) => "sub-vp",
            Self::Ve(_) => "ve",
            Self::Flow(_) => "flow",
        }
    }

    fn inner(&self) -> &dyn NoiseSchedule {
        match self {
            Self::Discrete(schedule) => schedule,
            Self::ContinuousVp(schedule) => schedule,
            Self::SubVp(schedule) => schedule,
            Self::Ve(schedule) => schedule,
            Self::Flow(schedule) => schedule,
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = |t: f64| self.level(t).nsr();
        let (least, most) = (ratio(self.t_min()), ratio(self.t_max()));
        match self {
            Self::Discrete(_) => write!(f, "variance preserving, timesteps 0 to {}", self.t_max())?,
            Self::ContinuousVp(_) => write!(f, "variance preserving, continuous time")?,
            Self::SubVp(_) => write!(f, "sub-variance preserving, continuous time")?,
            Self::Ve(_) => write!(f, "variance exploding, continuous time")?,
            Self::Flow(flow) => write!(f, "flow, times 0 to {}", flow.t_max)?,
        }
        write!(f, ", noise-to-signal ratio {least:.3} to {most:.3}")
    }
}

impl NoiseSchedule for Schedule {
    fn level(&self, t: f64) -> Level {
        self.inner().level(t)
    }

    fn level_at(&self, nsr: f64) -> Level {
        self.inner().level_at(nsr)
    }

    fn conditioning_time(&self, at: Level) -> f64 {
        self.inner().conditioning_time(at)
    }

    fn rates(&self, t: f64) -> Rates {
        self.inner().rates(t)
    }

    fn t_min(&self) -> f64 {
        self.inner().t_min()
    }

    fn t_max(&self) -> f64 {
        self.inner().t_max()
    }

    fn timesteps(&self) -> Option<usize> {
        self.inner().timesteps()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One of each kind, by name.
    pub(crate) fn all() -> Vec<(&'static str, Schedule)> {
        vec![
            ("linear", Schedule::Discrete(Discrete::linear(1e-4, 0.02, 1000).unwrap())),
            ("scaled_linear", Schedule::Discrete(Discrete::scaled_linear(0.00085, 0.012, 1000).unwrap())),
            ("cosine", Schedule::Discrete(Discrete::cosine(1000).unwrap())),
            ("cosine, T=100", Schedule::Discrete(Discrete::cosine(100).unwrap())),
            (
                "linear, zero SNR",
                Schedule::Discrete(Discrete::linear(1e-4, 0.02, 1000).unwrap().to_zero_terminal_snr()),
            ),
            ("continuous vp", Schedule::ContinuousVp(ContinuousVp::default())),
            ("sub-vp", Schedule::SubVp(SubVp::default())),
            ("ve", Schedule::Ve(Ve::default())),
            ("flow", Schedule::Flow(Flow::default())),
            ("flow, T=1000", Schedule::Flow(Flow { t_max: 1000.0 })),
        ]
    }

    #[test]
    fn the_ratio_rises_with_time_and_the_inverse_finds_the_time() {
        for (name, schedule) in all() {
            let (t_min, t_max) = (schedule.t_min(), schedule.t_max());
            let mut before = 0.0;
            for i in 0..=50 {
                // Whole numbers where time is discrete: between them level and inverse interpolate differently.
                let t = t_min + (t_max - t_min) * i as f64 / 50.0;
                let t = if schedule.timesteps().is_some() { t.round() } else { t };
                let level = schedule.level(t);
                assert!(level.nsr() > before, "{name}: {} at t {t} after {before}", level.nsr());
                before = level.nsr();
                let back = schedule.level_at(level.nsr());
                assert!((back.t - t).abs() <= 1e-9 * t_max, "{name}: {} for {t}", back.t);
                assert!((back.alpha - level.alpha).abs() < 1e-12 && (back.sigma - level.sigma).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_processes_are_those_of_the_papers() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        let vp = ContinuousVp::default().level(0.5);
        near(vp.alpha, (-0.25 * 0.25 * 19.9 - 0.5 * 0.5 * 0.1_f64).exp());
        near(vp.marginal_std(), 1.0);
        let sub = SubVp::default().level(0.5);
        near(sub.alpha, vp.alpha);
        near(sub.sigma, vp.sigma * vp.sigma);
        let ve = Ve::default().level(0.5);
        near(ve.sigma, (0.01_f64 * 50.0).sqrt());
        near(ve.alpha, 1.0);
        let flow = Flow::default().level(0.25);
        near(flow.alpha, 0.75);
        near(flow.sigma, 0.25);
        assert_eq!(Flow { t_max: 1000.0 }.level(1000.0), Level { t: 1000.0, alpha: 0.0, sigma: 1.0 });
    }

    /// Against differences of the levels, central where time is continuous.
    #[test]
    fn the_rates_are_the_derivatives_of_the_levels() {
        for (name, schedule) in all() {
            let t_max = schedule.t_max();
            for u in [0.1, 0.37, 0.5, 0.93] {
                let whole = schedule.timesteps().is_some();
                let t = if whole { (u * t_max).round() } else { u * t_max };
                let (before, after) = if whole { (1.0, 0.0) } else { (1e-5 * t_max, 1e-5 * t_max) };
                let (low, at, high) = (schedule.level(t - before), schedule.level(t), schedule.level(t + after));
                let Rates { drift, diffusion } = schedule.rates(t);
                let slope = |f: fn(Level) -> f64| (f(high) - f(low)) / (before + after);
                let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-7 * b.abs(), "{name} at {t}: {a} is not {b}");
                near(drift, slope(|l| l.alpha.ln()));
                near(diffusion, at.alpha.powi(2) * slope(|l| l.nsr().powi(2)));
            }
        }
        // The first training step comes from the clean level, and a step's share of new noise is beta.
        let first = Discrete::linear(1e-4, 0.02, 1000).unwrap().rates(0.0);
        assert!((first.diffusion - 1e-4).abs() < 1e-15 && (first.drift - 0.5 * (-1e-4_f64).ln_1p()).abs() < 1e-15);
    }

    #[test]
    fn a_schedule_says_what_it_is() {
        let said: Vec<String> = all().iter().map(|(_, schedule)| schedule.to_string()).collect();
        assert_eq!(said[0], "variance preserving, timesteps 0 to 999, noise-to-signal ratio 0.010 to 157.407");
        assert_eq!(said[9], "flow, times 0 to 1000, noise-to-signal ratio 0.001 to inf");
    }

    #[test]
    fn a_time_outside_the_range_is_the_nearest_one_inside() {
        for (name, schedule) in all() {
            assert_eq!(schedule.level(-5.0), schedule.level(0.0), "{name}");
            assert_eq!(schedule.level(1e9), schedule.level(schedule.t_max()), "{name}");
            assert_eq!(schedule.time_at(0.0), 0.0, "{name}");
            assert_eq!(schedule.time_at(f64::INFINITY), schedule.t_max(), "{name}");
        }
    }
}
