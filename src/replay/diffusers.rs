//! Settings of diffusers' schedulers: which levels and timesteps each class makes of them.

use super::plan::{Plan, Unknown, chain, over, prediction};
use super::record::Settings;
use crate::denoise::Prediction;
use crate::denoise::scheduler_config::Keys;
use crate::math::spacing::{Spacing, exponential, karras};
use crate::math::{Discrete, Level, NoiseSchedule, downwards, linspace};
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
        plan: ddpm,
    },
    Class {
        name: "DDIMScheduler",
        defaults: || json!({"clip_sample": true, "set_alpha_to_one": true, "thresholding": false}),
        honoured: &["clip_sample", "clip_sample_range", "set_alpha_to_one"],
        calls: &["eta", "use_clipped_model_output"],
        plan: ddim,
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
        plan: |setup| ratios(setup, "euler"),
    },
    Class {
        name: "EulerAncestralDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[],
        calls: &[],
        plan: |setup| ratios(setup, "euler-ancestral"),
    },
    Class {
        name: "HeunDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012, "use_beta_sigmas": false}),
        honoured: &["use_karras_sigmas", "use_exponential_sigmas", "clip_sample", "clip_sample_range"],
        calls: &["timesteps"],
        plan: |setup| ratios(setup, "heun"),
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
        ],
        calls: &["timesteps"],
        plan: dpm_solver,
    },
    Class {
        name: "FlowMatchEulerDiscreteScheduler",
        defaults: || {
            json!({"use_dynamic_shifting": false, "invert_sigmas": false, "use_karras_sigmas": false,
                "use_exponential_sigmas": false, "use_beta_sigmas": false, "stochastic_sampling": false})
        },
        honoured: &["shift"],
        calls: &["sigmas"],
        plan: flow,
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

/// `DDPMScheduler`: from each listed timestep to the next, in the end to clean data.
fn ddpm(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let schedule = setup.keys.discrete()?;
    let times = setup.times(setup.keys.timesteps()?, 0, true)?;
    let sampler = match setup.keys.text("variance_type")?.unwrap_or("fixed_small") {
        "fixed_small" | "fixed_small_log" => "ddpm",
        "fixed_large" if times.last() == Some(&0.0) => "ddpm-large",
        "fixed_large" => return Err(Unknown("fixed_large noise on the finished point is not replayed".to_owned())),
        other => return Err(Unknown(format!("variance_type `{other}` is not replayed"))),
    };
    let levels: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    Ok(Plan {
        sampler,
        eta: None,
        prediction: setup.prediction,
        clip: setup.clip()?,
        start: 1.0,
        steps: chain(&levels, Level::CLEAN),
        forget: Vec::new(),
    })
}

/// `DDIMScheduler`: from each listed timestep down by the same number of timesteps, wherever the next one is.
fn ddim(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let clip = setup.clip()?;
    if clip.is_some() && setup.calls.flag("use_clipped_model_output")? != Some(true) {
        return Err(Unknown("a clipped x_0 beside the noise of the unclipped one is not replayed".to_owned()));
    }
    let schedule = setup.keys.discrete()?;
    let total = setup.keys.timesteps()?;
    let whole = setup.keys.flag("set_alpha_to_one")?.unwrap_or(true);
    let end = if whole { Level::CLEAN } else { schedule.level(0.0) };
    let down = (total / setup.settings.steps()?) as f64;
    let to = |t: f64| if t < down { end } else { schedule.level(t - down) };
    Ok(Plan {
        sampler: "ddim",
        eta: setup.calls.number("eta")?,
        prediction: setup.prediction,
        clip,
        start: 1.0,
        steps: setup.times(total, 0, true)?.into_iter().map(|t| (schedule.level(t), to(t))).collect(),
        forget: Vec::new(),
    })
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

/// The timesteps of the Euler family, and its ratios with the one that they end at.
fn spaced(setup: &Setup<'_>, schedule: &Discrete) -> Result<(Vec<f64>, Vec<f64>), Unknown> {
    let keys = &setup.keys;
    if let Some(sigmas) = setup.calls.numbers("sigmas")? {
        let (_, visited) = sigmas.split_last().ok_or_else(no_steps)?;
        return Ok((visited.iter().map(|sigma| schedule.time_at(*sigma)).collect(), sigmas));
    }
    let mut times = setup.times(keys.timesteps()?, 0, false)?;
    let mut sigmas: Vec<f64> = match keys.text("interpolation_type")?.unwrap_or("linear") {
        "linear" => times.iter().map(|t| ratio(schedule, *t)).collect(),
        // One more than there are timesteps, so that the walk ends with it.
        "log_linear" => exponential(ratio(schedule, schedule.t_max()), ratio(schedule, 0.0), times.len() + 1),
        other => return Err(Unknown(format!("interpolation_type `{other}` is not replayed"))),
    };
    let most = keys.number("sigma_max")?.unwrap_or(sigmas[0]);
    let least = keys.number("sigma_min")?.unwrap_or(sigmas[sigmas.len() - 1]);
    if let Some(respaced) = setup.respaced(most, least, times.len())? {
        times = respaced.iter().map(|sigma| schedule.time_at(*sigma)).collect();
        sigmas = respaced;
    }
    sigmas.push(last_ratio(setup, schedule)?);
    Ok((times, sigmas))
}

/// The Euler, Euler ancestral and Heun schedulers, which work in noise-to-signal coordinates.
fn ratios(setup: &Setup<'_>, sampler: &'static str) -> Result<Plan, Unknown> {
    let schedule = setup.keys.discrete()?;
    let (mut times, sigmas) = spaced(setup, &schedule)?;
    if setup.keys.text("timestep_type")? == Some("continuous") && setup.prediction == Prediction::Velocity {
        times = sigmas[..times.len()].iter().map(|sigma| 0.25 * sigma.ln()).collect();
    }
    let levels: Vec<Level> = times.iter().zip(&sigmas).map(|(t, s)| Level::variance_exploding(*t, *s)).collect();
    let largest = sigmas.iter().copied().fold(0.0, f64::max);
    let leading = setup.keys.text("timestep_spacing")? == Some("leading");
    Ok(Plan {
        sampler,
        eta: None,
        prediction: setup.prediction,
        clip: setup.clip()?,
        start: if leading { largest.hypot(1.0) } else { largest },
        steps: chain(&levels, Level::variance_exploding(0.0, sigmas[times.len()])),
        forget: Vec::new(),
    })
}

/// `DPMSolverMultistepScheduler`, which works on the variance-preserving levels of its ratios.
fn dpm_solver(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let keys = &setup.keys;
    let schedule = keys.discrete()?;
    let (most, least) = (ratio(&schedule, schedule.t_max()), ratio(&schedule, 0.0));
    // Timesteps with less log-SNR than the clipping point are left out.
    let clipped = keys.number("lambda_min_clipped")?.unwrap_or(f64::NEG_INFINITY);
    let total = keys.timesteps()?;
    let last = (0..total).take_while(|t| -ratio(&schedule, *t as f64).ln() >= clipped).count();
    let mut times = setup.times(last, 1, true)?;
    let sigmas = match setup.respaced(most, least, times.len())? {
        None => times.iter().map(|t| ratio(&schedule, *t)).collect(),
        Some(sigmas) => {
            // Timesteps are whole numbers: rounded for some spacings of some schedules, and cut off otherwise.
            let rounded =
                !setup.flag("use_exponential_sigmas")? && keys.text("beta_schedule")? != Some("squaredcos_cap_v2");
            let whole = if rounded { f64::round_ties_even } else { f64::trunc };
            times = sigmas.iter().map(|sigma| whole(schedule.time_at(*sigma))).collect();
            sigmas
        }
    };
    let levels: Vec<Level> = times.iter().zip(&sigmas).map(|(t, s)| Level::variance_preserving(*t, *s)).collect();
    let n = levels.len();
    let order = keys.count("solver_order")?.unwrap_or(2);
    let sampler = match (keys.text("algorithm_type")?.unwrap_or("dpmsolver++"), order) {
        ("dpmsolver++", 1 | 2) => "dpmpp-2m",
        ("sde-dpmsolver++", 1 | 2) => "dpmpp-2m-sde",
        // At order 1 the two are the same step.
        ("dpmsolver", 1) => "dpmpp-2m",
        (other, _) => return Err(Unknown(format!("`{other}` of order {order} is not replayed"))),
    };
    let lower_final = keys.flag("lower_order_final")? == Some(true) && n < 15;
    let forget = match order {
        1 => (1..n).collect(),
        _ if lower_final || setup.flag("euler_at_final")? => vec![n - 1],
        _ => Vec::new(),
    };
    Ok(Plan {
        sampler,
        eta: None,
        prediction: setup.prediction,
        clip: None,
        start: 1.0,
        steps: chain(&levels, Level::variance_preserving(0.0, last_ratio(setup, &schedule)?)),
        forget,
    })
}

/// `FlowMatchEulerDiscreteScheduler`.
fn flow(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let total = setup.keys.timesteps()? as f64;
    let shift = setup.keys.number("shift")?.unwrap_or(1.0);
    let shifted = |s: f64| shift * s / (1.0 + (shift - 1.0) * s);
    // The ends of the line are shifted before the line is, so its low end is shifted twice.
    let sigmas = match setup.calls.numbers("sigmas")? {
        Some(sigmas) => sigmas,
        None => linspace(shifted(1.0), shifted(1.0 / total), setup.settings.steps()?),
    };
    let level = |sigma: f64| Level { t: sigma * total, alpha: 1.0 - sigma, sigma };
    let levels: Vec<Level> = sigmas.into_iter().map(|sigma| level(shifted(sigma))).collect();
    Ok(Plan {
        sampler: "euler",
        eta: None,
        prediction: setup.prediction,
        clip: None,
        start: 1.0,
        steps: chain(&levels, Level::CLEAN),
        forget: Vec::new(),
    })
}
