//! Settings of diffusers' schedulers: which levels and timesteps each class makes of them.

mod dpm_solver;
mod edm;
mod euler;
mod few_step;
mod posterior;
mod score_sde;

use super::{Asked, Bound, LastNoise, Mapped, Unmapped, chain, no_steps, over, stands};
use crate::denoise::scheduler_config::Keys;
use crate::denoise::{Clip, Prediction};
use crate::math::spacing::{Spacing, exponential, karras};
use crate::math::{Discrete, NoiseSchedule, downwards, linspace};
use serde_json::{Value, json};

/// What [`Mapped::sampler`] says of DDIM's inversion, which runs from clean to noisy and is no row of the table.
pub const INVERSE: &str = "ddim-inverse";

/// A scheduler class.
pub(super) struct Class {
    name: &'static str,
    /// The constructor's defaults where they matter here.
    defaults: fn() -> Value,
    /// Arguments of the constructor that the mapping reads, besides those of [`ALWAYS`].
    honoured: &'static [&'static str],
    /// Arguments of `set_timesteps` and `step` that the mapping reads.
    calls: &'static [&'static str],
    map: fn(&Setup<'_>) -> Result<Mapped, Unmapped>,
}

/// Arguments that every class of a noise schedule reads.
const ALWAYS: &[&str] = &[
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "rescale_betas_zero_snr",
    "prediction_type",
    "timestep_spacing",
    "steps_offset",
    "thresholding",
    "dynamic_thresholding_ratio",
    "sample_max_value",
    "clip_sample_range",
];

/// Arguments of EDM's noise levels.
const EDM: &[&str] = &["sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "rho", "final_sigmas_type"];

const CLASSES: &[Class] = &[
    Class {
        name: "DDPMScheduler",
        defaults: || json!({"clip_sample": true}),
        honoured: &["clip_sample", "variance_type"],
        calls: &["timesteps"],
        map: posterior::ddpm,
    },
    Class {
        name: "DDIMScheduler",
        defaults: || json!({"clip_sample": true, "set_alpha_to_one": true}),
        honoured: &["clip_sample", "set_alpha_to_one"],
        calls: &["eta", "use_clipped_model_output"],
        map: posterior::ddim,
    },
    Class {
        name: "DDIMInverseScheduler",
        defaults: || json!({"clip_sample": true, "set_alpha_to_one": true}),
        honoured: &["clip_sample", "set_alpha_to_one"],
        calls: &[],
        map: posterior::ddim_inverse,
    },
    Class {
        name: "PNDMScheduler",
        defaults: || json!({}),
        honoured: &["skip_prk_steps", "set_alpha_to_one"],
        calls: &[],
        map: posterior::pndm,
    },
    Class { name: "IPNDMScheduler", defaults: || json!({}), honoured: &[], calls: &[], map: posterior::ipndm },
    Class {
        name: "LCMScheduler",
        defaults: || {
            json!({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
                "original_inference_steps": 50, "timestep_scaling": 10.0})
        },
        honoured: &["original_inference_steps", "clip_sample", "set_alpha_to_one"],
        calls: &["timesteps", "original_inference_steps", "strength"],
        map: few_step::lcm,
    },
    Class {
        name: "TCDScheduler",
        defaults: || json!({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}),
        // The class has the arguments of LCMScheduler, but reads no other of them.
        honoured: &["original_inference_steps", "clip_sample", "set_alpha_to_one", "timestep_scaling"],
        calls: &["timesteps", "original_inference_steps", "strength", "eta"],
        map: few_step::tcd,
    },
    Class {
        name: "CMStochasticIterativeScheduler",
        defaults: || json!({"num_train_timesteps": 40}),
        honoured: &["sigma_min", "sigma_max", "sigma_data", "rho", "s_noise", "clip_denoised"],
        calls: &["timesteps"],
        map: few_step::consistency,
    },
    Class {
        name: "ScoreSdeVeScheduler",
        defaults: || json!({}),
        honoured: &["sigma_min", "sigma_max", "snr", "correct_steps", "sampling_eps"],
        calls: &[],
        map: score_sde::variance_exploding,
    },
    Class {
        name: "ScoreSdeVpScheduler",
        defaults: || json!({}),
        honoured: &["beta_min", "beta_max", "sampling_eps"],
        calls: &[],
        map: score_sde::variance_preserving,
    },
    Class { name: "EDMEulerScheduler", defaults: || json!({}), honoured: EDM, calls: &[], map: edm::euler },
    Class {
        name: "EDMDPMSolverMultistepScheduler",
        defaults: || json!({}),
        honoured: &[
            EDM[0],
            EDM[1],
            EDM[2],
            EDM[3],
            EDM[4],
            EDM[5],
            "algorithm_type",
            "solver_order",
            "solver_type",
            "lower_order_final",
            "euler_at_final",
        ],
        calls: &[],
        map: edm::dpm_solver,
    },
    Class {
        name: "EulerDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "use_beta_sigmas": false}),
        honoured: &[
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "sigma_min",
            "sigma_max",
            "final_sigmas_type",
            "interpolation_type",
            "timestep_type",
        ],
        calls: &["timesteps", "sigmas"],
        map: |setup| euler::ratios(setup, "euler"),
    },
    Class {
        name: "EulerAncestralDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[],
        calls: &[],
        map: |setup| euler::ratios(setup, "euler-ancestral"),
    },
    Class {
        name: "HeunDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012, "use_beta_sigmas": false}),
        honoured: &["use_karras_sigmas", "use_exponential_sigmas", "clip_sample"],
        calls: &["timesteps"],
        map: |setup| euler::ratios(setup, "heun"),
    },
    Class {
        name: "DPMSolverMultistepScheduler",
        defaults: || {
            json!({"timestep_spacing": "linspace", "lower_order_final": true, "solver_type": "midpoint",
                "use_beta_sigmas": false, "variance_type": null})
        },
        honoured: &[
            "algorithm_type",
            "solver_order",
            "lower_order_final",
            "euler_at_final",
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_lu_lambdas",
            "final_sigmas_type",
            "lambda_min_clipped",
            "use_flow_sigmas",
            "flow_shift",
        ],
        calls: &["timesteps"],
        map: dpm_solver::dpm_solver,
    },
    Class {
        name: "FlowMatchEulerDiscreteScheduler",
        defaults: || {
            json!({"use_dynamic_shifting": false, "invert_sigmas": false, "use_karras_sigmas": false,
                "use_exponential_sigmas": false, "use_beta_sigmas": false, "stochastic_sampling": false})
        },
        honoured: &["shift"],
        calls: &["sigmas"],
        map: euler::flow,
    },
];

/// Maps a run with the scheduler class `asked.name`.
///
/// # Errors
/// A class that is not known here; an argument, by its name, that is not known or of the wrong kind; a process or steps
/// that no sampler here can walk.
pub fn map(asked: &Asked<'_>) -> Result<Mapped, Unmapped> {
    let class = CLASSES.iter().find(|class| class.name == asked.name);
    let class = class.ok_or_else(|| Unmapped(format!("there is no sampler for diffusers' {} here", asked.name)))?;
    let mut defaults = json!({"num_train_timesteps": 1000, "beta_schedule": "linear", "beta_start": 0.0001,
        "beta_end": 0.02, "timestep_spacing": "leading", "prediction_type": "epsilon", "thresholding": false,
        "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "clip_sample_range": 1.0});
    for (key, value) in (class.defaults)().as_object().into_iter().flatten() {
        defaults[key] = value.clone();
    }
    let config = over(&defaults, asked.config, &[ALWAYS, class.honoured].concat())?;
    let mut given = asked.timesteps.clone();
    given.extend(asked.step.clone());
    let calls = over(&json!({"eta": 0.0, "s_churn": 0.0}), &given, &[class.calls, &["num_inference_steps"]].concat())?;
    (class.map)(&Setup { steps: asked.steps, keys: Keys(&config), calls: Keys(&calls) })
}

/// The settings of a run, its class's defaults filled in.
struct Setup<'a> {
    /// Number of steps; `None` where they are listed.
    steps: Option<usize>,
    /// Arguments of the constructor.
    keys: Keys<'a>,
    /// Arguments of `set_timesteps` and `step`.
    calls: Keys<'a>,
}

impl Setup<'_> {
    fn flag(&self, key: &'static str) -> Result<bool, Unmapped> {
        Ok(self.keys.flag(key)? == Some(true))
    }

    /// What the network returns.
    fn prediction(&self) -> Result<Prediction, Unmapped> {
        let name = self.keys.get("prediction_type").cloned().unwrap_or_default();
        serde_json::from_value(name.clone()).map_err(|_| Unmapped(format!("prediction_type {name} is not known here")))
    }

    /// Number of steps that were asked for.
    fn count(&self) -> Result<usize, Unmapped> {
        super::count(self.steps)
    }

    /// What the class does to `x_0`. It thresholds rather than clips where it is told to do both.
    fn bound(&self, use_clipped_model_output: bool) -> Result<Option<Bound>, Unmapped> {
        let number = |key| self.keys.number(key).map(|v| v.unwrap_or(1.0));
        let (clip, most, least) = if self.flag("thresholding")? {
            let (ratio, most) = (number("dynamic_thresholding_ratio")?, number("sample_max_value")?);
            (Clip::Dynamic { ratio, most }, most, 1.0)
        } else if self.flag("clip_sample")? {
            let most = number("clip_sample_range")?;
            (Clip::Range { low: -most, high: most }, most, 0.0)
        } else {
            return Ok(None);
        };
        let ratio = number("dynamic_thresholding_ratio")?;
        if !(least..=f64::INFINITY).contains(&most) || !(0.0..=1.0).contains(&ratio) {
            return Err(Unmapped(format!("x_0 cannot be held to {most} at the quantile {ratio}")));
        }
        Ok(Some(Bound { clip, use_clipped_model_output }))
    }

    /// The timesteps that the class lists for `n` steps out of the first `last` timesteps of training. `extra` more are
    /// spaced and then left out at the clean end; `whole` ones are rounded.
    fn times(&self, last: usize, extra: usize, whole: bool) -> Result<Vec<f64>, Unmapped> {
        let total = self.keys.timesteps()?;
        if let Some(times) = self.calls.numbers("timesteps")? {
            return if times.is_empty() { Err(no_steps()) } else { Ok(times) };
        }
        let n = self.count()?;
        let step = total as f64 / n as f64;
        let mut times: Vec<f64> = match self.keys.text("timestep_spacing")? {
            Some("linspace") => {
                let times = linspace(0.0, last as f64 - 1.0, n + extra).into_iter().rev();
                if whole { times.map(f64::round_ties_even).collect() } else { times.collect() }
            }
            Some("leading") => {
                let offset = self.keys.number("steps_offset")?.unwrap_or(0.0);
                (0..n + extra).rev().map(|i| (i * (last / (n + extra))) as f64 + offset).collect()
            }
            Some("trailing") => {
                let count = (last as f64 / step).ceil() as usize;
                downwards(last as f64, step, count).into_iter().map(|t| t.round_ties_even() - 1.0).collect()
            }
            other => return Err(Unmapped(format!("timestep_spacing {other:?} is not known here"))),
        };
        times.truncate(n);
        if times.is_empty() { Err(no_steps()) } else { Ok(times) }
    }

    /// `n` ratios between `most` and `least` in the spacing that the config switches on, if any.
    fn respaced(&self, most: f64, least: f64, n: usize) -> Result<Option<Vec<f64>>, Unmapped> {
        let even = self.flag("use_exponential_sigmas")? || self.flag("use_lu_lambdas")?;
        Ok(match self.flag("use_karras_sigmas")? {
            true => Some(karras(most, least, Spacing::RHO, n)),
            false => even.then(|| exponential(most, least, n)),
        })
    }
}

/// The noise-to-signal ratio at time `t`; where it is infinite, what these classes put in its place.
fn ratio(schedule: &Discrete, t: f64) -> f64 {
    let nsr = schedule.level(t).nsr();
    if nsr.is_finite() { nsr } else { (2.0_f64.powi(24) - 1.0).sqrt() }
}

/// The ratio at which a class's steps end.
fn last_ratio(setup: &Setup<'_>, schedule: &Discrete) -> Result<f64, Unmapped> {
    match setup.keys.text("final_sigmas_type")?.unwrap_or("zero") {
        "zero" => Ok(0.0),
        "sigma_min" => Ok(ratio(schedule, 0.0)),
        other => Err(Unmapped(format!("final_sigmas_type `{other}` is not known here"))),
    }
}
