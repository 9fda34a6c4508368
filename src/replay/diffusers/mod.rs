//! Settings of diffusers' schedulers: which levels and timesteps each class makes of them.

mod ddpm;
mod dpm_solver;
mod euler;

use super::plan::{Plan, Unknown, over, prediction};
use super::record::Settings;
use crate::denoise::Prediction;
use crate::denoise::scheduler_config::Keys;
use crate::math::spacing::{Spacing, exponential, karras};
use crate::math::{Discrete, NoiseSchedule, downwards, linspace};
use serde_json::{Value, json};

/// A scheduler class.
pub(super) struct Class {
    name: &'static str,
    /// The constructor's defaults where they matter to the replay.
    defaults: fn() -> Value,
    /// Arguments of the constructor that the plan reads, besides those of [`ALWAYS`].
    honoured: &'static [&'static str],
    /// Arguments of `set_timesteps` and `step` that the plan reads.
    calls: &'static [&'static str],
    plan: fn(&Setup<'_>) -> Result<Plan, Unknown>,
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
];

const CLASSES: &[Class] = &[
    Class {
        name: "DDPMScheduler",
        defaults: || json!({"clip_sample": true, "thresholding": false}),
        honoured: &["clip_sample", "clip_sample_range", "variance_type"],
        calls: &["timesteps"],
        plan: ddpm::ddpm,
    },
    Class {
        name: "DDIMScheduler",
        defaults: || json!({"clip_sample": true, "set_alpha_to_one": true, "thresholding": false}),
        honoured: &["clip_sample", "clip_sample_range", "set_alpha_to_one"],
        calls: &["eta", "use_clipped_model_output"],
        plan: ddpm::ddim,
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
        plan: |setup| euler::ratios(setup, "euler"),
    },
    Class {
        name: "EulerAncestralDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[],
        calls: &[],
        plan: |setup| euler::ratios(setup, "euler-ancestral"),
    },
    Class {
        name: "HeunDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012, "use_beta_sigmas": false}),
        honoured: &["use_karras_sigmas", "use_exponential_sigmas", "clip_sample", "clip_sample_range"],
        calls: &["timesteps"],
        plan: |setup| euler::ratios(setup, "heun"),
    },
    Class {
        name: "DPMSolverMultistepScheduler",
        defaults: || {
            json!({"timestep_spacing": "linspace", "lower_order_final": true, "solver_type": "midpoint",
                "use_beta_sigmas": false, "thresholding": false, "variance_type": null})
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
        plan: dpm_solver::dpm_solver,
    },
    Class {
        name: "FlowMatchEulerDiscreteScheduler",
        defaults: || {
            json!({"use_dynamic_shifting": false, "invert_sigmas": false, "use_karras_sigmas": false,
                "use_exponential_sigmas": false, "use_beta_sigmas": false, "stochastic_sampling": false})
        },
        honoured: &["shift"],
        calls: &["sigmas"],
        plan: euler::flow,
    },
];

pub(super) fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}

pub(super) fn plan(class: &Class, settings: &Settings) -> Result<Plan, Unknown> {
    if settings.start.as_deref().is_some_and(|start| start != "noise") {
        return Err(Unknown("a walk from data to noise is not replayed".to_owned()));
    }
    let mut defaults = json!({"num_train_timesteps": 1000, "beta_schedule": "linear", "beta_start": 0.0001,
        "beta_end": 0.02, "timestep_spacing": "leading", "prediction_type": settings.prediction_type});
    for (key, value) in (class.defaults)().as_object().into_iter().flatten() {
        defaults[key] = value.clone();
    }
    let config = over(&defaults, &settings.config, &[ALWAYS, class.honoured].concat())?;
    let mut given = settings.set_timesteps_kwargs.clone();
    given.extend(settings.step_kwargs.clone());
    let calls = over(&json!({"eta": 0.0, "s_churn": 0.0}), &given, &[class.calls, &["num_inference_steps"]].concat())?;
    let prediction = prediction(settings)?;
    (class.plan)(&Setup { settings, keys: Keys(&config), calls: Keys(&calls), prediction })
}

/// The settings of a case, its class's defaults filled in.
struct Setup<'a> {
    settings: &'a Settings,
    /// Arguments of the constructor.
    keys: Keys<'a>,
    /// Arguments of `set_timesteps` and `step`.
    calls: Keys<'a>,
    prediction: Prediction,
}

impl Setup<'_> {
    fn flag(&self, key: &'static str) -> Result<bool, Unknown> {
        Ok(self.keys.flag(key)? == Some(true))
    }

    /// The bound that `x_0` is clipped to, if it is.
    fn clip(&self) -> Result<Option<f64>, Unknown> {
        let bound = self.keys.number("clip_sample_range")?.unwrap_or(1.0);
        if bound.is_sign_negative() {
            return Err(Unknown(format!("clip_sample_range {bound} is not replayed")));
        }
        Ok(self.flag("clip_sample")?.then_some(bound))
    }

    /// The timesteps that the class lists for `n` steps out of the first `last` timesteps of training. `extra` more are
    /// spaced and then left out at the clean end; `whole` ones are rounded.
    fn times(&self, last: usize, extra: usize, whole: bool) -> Result<Vec<f64>, Unknown> {
        let total = self.keys.timesteps()?;
        if let Some(times) = self.calls.numbers("timesteps")? {
            return if times.is_empty() { Err(no_steps()) } else { Ok(times) };
        }
        let n = self.settings.steps()?;
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
            other => return Err(Unknown(format!("timestep_spacing {other:?} is not replayed"))),
        };
        times.truncate(n);
        if times.is_empty() { Err(no_steps()) } else { Ok(times) }
    }

    /// `n` ratios between `most` and `least` in the spacing that the config switches on, if any.
    fn respaced(&self, most: f64, least: f64, n: usize) -> Result<Option<Vec<f64>>, Unknown> {
        let even = self.flag("use_exponential_sigmas")? || self.flag("use_lu_lambdas")?;
        Ok(match self.flag("use_karras_sigmas")? {
            true => Some(karras(most, least, Spacing::RHO, n)),
            false => even.then(|| exponential(most, least, n)),
        })
    }
}

fn no_steps() -> Unknown {
    Unknown("a run without steps is not replayed".to_owned())
}

/// The noise-to-signal ratio at time `t`; where it is infinite, what these classes put in its place.
fn ratio(schedule: &Discrete, t: f64) -> f64 {
    let nsr = schedule.level(t).nsr();
    if nsr.is_finite() { nsr } else { (2.0_f64.powi(24) - 1.0).sqrt() }
}

/// The ratio at which a class's steps end.
fn last_ratio(setup: &Setup<'_>, schedule: &Discrete) -> Result<f64, Unknown> {
    match setup.keys.text("final_sigmas_type")?.unwrap_or("zero") {
        "zero" => Ok(0.0),
        "sigma_min" => Ok(ratio(schedule, 0.0)),
        other => Err(Unknown(format!("final_sigmas_type `{other}` is not replayed"))),
    }
}
