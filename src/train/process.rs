//! The forward process that a network is trained on, and how its times are drawn.

use crate::math::{Discrete, Flow, Level, NoiseSchedule, Schedule, ScheduleError, Ve};
use serde::Deserialize;
use serde_json::{Value, json};
use std::f64::consts::SQRT_2;

/// `[schedule]` of a recipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Linear(Betas),
    ScaledLinear(Betas),
    #[serde(rename = "squaredcos_cap_v2")]
    SquaredcosCapV2(Betas),
    /// `x_t = (1 - t) x_0 + t eps`; the conditioning time is `timesteps * t`.
    Flow(Timesteps),
    /// `x_t = x_0 + sigma eps`, `sigma = sigma_min (sigma_max / sigma_min)^t`; the conditioning time is sigma.
    Ve(Sigmas),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Betas {
    pub timesteps: usize,
    pub beta_start: f64,
    pub beta_end: f64,
    /// Stretched so that the last level is pure noise.
    #[serde(default)]
    pub zero_terminal_snr: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timesteps {
    pub timesteps: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmas {
    pub sigma_min: f64,
    pub sigma_max: f64,
}

impl Kind {
    /// Whether signal and noise together keep the variance of the data.
    pub fn preserves_variance(&self) -> bool {
        !matches!(self, Self::Flow(_) | Self::Ve(_))
    }

    fn schedule(&self) -> Result<Schedule, ScheduleError> {
        let (betas, discrete) = match self {
            Self::Flow(Timesteps { timesteps }) => return Ok(Schedule::Flow(Flow { t_max: *timesteps as f64 })),
            &Self::Ve(Sigmas { sigma_min, sigma_max }) => return Ok(Schedule::Ve(Ve { sigma_min, sigma_max })),
            Self::Linear(b) => (b, Discrete::linear(b.beta_start, b.beta_end, b.timesteps)?),
            Self::ScaledLinear(b) => (b, Discrete::scaled_linear(b.beta_start, b.beta_end, b.timesteps)?),
            Self::SquaredcosCapV2(b) => (b, Discrete::cosine(b.timesteps)?),
        };
        Ok(Schedule::Discrete(if betas.zero_terminal_snr { discrete.to_zero_terminal_snr() } else { discrete }))
    }

    /// `scheduler/scheduler_config.json`: the class of diffusers that samples from the model.
    pub fn scheduler_config(&self, prediction: Value) -> Value {
        let betas = |name: &str, betas: &Betas| {
            let mut config = json!({
                "_class_name": "DDIMScheduler",
                "num_train_timesteps": betas.timesteps,
                "beta_start": betas.beta_start,
                "beta_end": betas.beta_end,
                "beta_schedule": name,
                "prediction_type": prediction,
                "clip_sample": false,
                "rescale_betas_zero_snr": betas.zero_terminal_snr,
                "set_alpha_to_one": true,
                "steps_offset": 0,
            });
            // A last level without any signal must be the first that a sampler visits (Lin et al. 2023, arXiv
            // 2305.08891).
            config["timestep_spacing"] = json!(if betas.zero_terminal_snr { "trailing" } else { "leading" });
            config
        };
        match self {
            Self::Linear(b) => betas("linear", b),
            Self::ScaledLinear(b) => betas("scaled_linear", b),
            Self::SquaredcosCapV2(b) => betas("squaredcos_cap_v2", b),
            Self::Flow(flow) => json!({
                "_class_name": "FlowMatchEulerDiscreteScheduler",
                "num_train_timesteps": flow.timesteps,
                "shift": 1.0,
            }),
            Self::Ve(sigmas) => json!({
                "_class_name": "ScoreSdeVeScheduler",
                "num_train_timesteps": 2000,
                "sigma_min": sigmas.sigma_min,
                "sigma_max": sigmas.sigma_max,
            }),
        }
    }
}

impl Kind {
    /// Timesteps of a schedule that has them.
    pub fn timesteps(&self) -> Option<usize> {
        match self {
            Self::Linear(b) | Self::ScaledLinear(b) | Self::SquaredcosCapV2(b) => Some(b.timesteps),
            Self::Flow(_) | Self::Ve(_) => None,
        }
    }

    /// The same of latent consistency models, whose students know so many times of a schedule of betas.
    pub fn consistency_config(&self, prediction: Value, grid: usize) -> Value {
        let mut config = self.scheduler_config(prediction);
        for (key, value) in [
            ("_class_name", json!("LCMScheduler")),
            ("original_inference_steps", json!(grid)),
            ("timestep_spacing", json!("leading")),
        ] {
            config[key] = value;
        }
        config
    }

    /// The same of a solver of few steps, DPM-Solver++(2M), for a schedule of betas.
    pub fn solver_config(&self, prediction: Value) -> Value {
        let mut config = self.scheduler_config(prediction);
        for key in ["clip_sample", "set_alpha_to_one"] {
            if let Some(config) = config.as_object_mut() {
                config.remove(key);
            }
        }
        for (key, value) in [
            ("_class_name", json!("DPMSolverMultistepScheduler")),
            ("algorithm_type", json!("dpmsolver++")),
            ("solver_order", json!(2)),
            ("steps_offset", json!(1)),
            ("timestep_spacing", json!("trailing")),
        ] {
            config[key] = value;
        }
        config
    }
}

/// A process that batches are drawn from.
#[derive(Clone, Debug)]
pub struct Process {
    schedule: Schedule,
    /// Mean and standard deviation of the logit of a time; uniform times without.
    logit_normal: Option<[f64; 2]>,
}

/// The least and, from 1, the greatest time that is trained at.
const LEAST: f64 = 1e-5;

impl Process {
    /// # Errors
    /// Betas that make no schedule.
    pub fn new(kind: &Kind, logit_normal: Option<[f64; 2]>) -> Result<Self, ScheduleError> {
        Ok(Self { schedule: kind.schedule()?, logit_normal })
    }

    /// The level of an image whose `u` is even in `[0, 1)`. Its `t` is the conditioning time of the network.
    pub fn level(&self, u: f64) -> Level {
        let u = u.clamp(LEAST, 1.0 - LEAST);
        let time = match self.logit_normal {
            // Esser et al. 2024, arXiv 2403.03206, equation 19.
            Some([mean, std]) => {
                let logit = mean + std * normal_quantile(u);
                (1.0 / (1.0 + (-logit).exp())).clamp(LEAST, 1.0 - LEAST)
            }
            None => u,
        };
        self.with_conditioning_time(match self.schedule.timesteps() {
            Some(timesteps) => self.schedule.level((time * timesteps as f64).floor()),
            None => self.schedule.level(time * self.schedule.t_max()),
        })
    }

    /// The level of a timestep of a schedule that has them.
    pub fn timestep(&self, t: usize) -> Level {
        self.with_conditioning_time(self.schedule.level(t as f64))
    }

    /// The least noisy level.
    pub fn cleanest(&self) -> Level {
        self.with_conditioning_time(self.schedule.level(0.0))
    }

    fn with_conditioning_time(&self, level: Level) -> Level {
        Level { t: self.schedule.conditioning_time(level), ..level }
    }
}

/// The number below which a standard normal one lies with probability `p`, in `(0, 1)`: found by halving, as the
/// distribution function is at hand and its inverse is not.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if 0.5 * libm::erfc(-middle / SQRT_2) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959963984540054), (0.001, -3.090232306167813)] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn a_network_is_told_what_its_kind_says() {
        let betas = || Betas { timesteps: 1000, beta_start: 1e-4, beta_end: 0.02, zero_terminal_snr: false };
        let level = |kind: Kind, u| Process::new(&kind, None).expect("a schedule").level(u);
        assert_eq!(level(Kind::Linear(betas()), 0.9999).t, 999.0);
        assert_eq!(level(Kind::Linear(betas()), 0.0004).t, 0.0);
        let flow = level(Kind::Flow(Timesteps { timesteps: 1000 }), 0.25);
        assert_eq!((flow.t, flow.alpha, flow.sigma), (250.0, 0.75, 0.25));
        let ve = level(Kind::Ve(Sigmas { sigma_min: 0.01, sigma_max: 100.0 }), 0.5);
        assert!((ve.sigma - 1.0).abs() < 1e-12 && ve.t == ve.sigma && ve.alpha == 1.0);
    }

    #[test]
    fn logit_normal_times_crowd_in_the_middle() {
        let kind = Kind::Flow(Timesteps { timesteps: 1 });
        let process = Process::new(&kind, Some([0.0, 1.0])).expect("a schedule");
        let sigma = |u| process.level(u).sigma;
        assert!((sigma(0.5) - 0.5).abs() < 1e-9);
        // The logistic function of the quartile of a normal number.
        assert!((sigma(0.75) - 1.0 / (1.0 + (-0.6744897501960817_f64).exp())).abs() < 1e-9);
    }
}
