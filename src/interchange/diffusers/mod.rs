//! Settings of diffusers' schedulers: which levels and timesteps each class makes of them.

mod describe;
mod edm;
mod few_step;
mod flow;
mod karras_ve;
mod levels;
mod posterior;
mod preset;
mod ratios;
mod score_sde;
mod solvers;

pub(super) use describe::STEP;
pub use describe::{Described, describe};
pub use preset::{Uses, preset, scheduled};

use super::{Bound, Draws, LastNoise, Mapped, Requested, Unmapped, chain, no_steps, over};
use crate::denoise::{Clip, Prediction};
use crate::interchange::scheduler_config::Keys;
use crate::math::spacing::{Spacing, beta, exponential, karras};
use crate::math::{Discrete, downwards, linspace};
use serde_json::{Value, json};

/// What [`Mapped::sampler`] says of DDIM's inversion, which runs from clean to noisy and is no row of the table.
pub const INVERSE: &str = "ddim-inverse";

/// A scheduler class.
pub(super) struct Class {
    name: &'static str,
    /// The constructor's defaults where they matter here.
    defaults: fn() -> Value,
    /// Arguments of the constructor that the mapping reads, besides those of [`ALWAYS`], in groups.
    honoured: &'static [&'static [&'static str]],
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

/// Arguments that respace the ratios between the ends of the process.
const RESPACED: &[&str] = &["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"];

/// Arguments of every solver that has an order.
const SOLVER: &[&str] = &["solver_order", "solver_type", "lower_order_final"];

/// Arguments that make a solver of a variance-preserving process step along a flow.
const FLOW: &[&str] = &["use_flow_sigmas", "flow_shift"];

/// Arguments that shift a flow by what it is given with the run.
const SHIFTING: &[&str] = &["use_dynamic_shifting", "time_shift_type"];

/// All classes.
fn classes() -> impl Iterator<Item = &'static Class> {
    let files = [
        posterior::CLASSES,
        ratios::CLASSES,
        solvers::CLASSES,
        flow::CLASSES,
        edm::CLASSES,
        few_step::CLASSES,
        score_sde::CLASSES,
        karras_ve::CLASSES,
    ];
    files.into_iter().flatten()
}

/// The class of this name.
fn class(name: &str) -> Result<&'static Class, Unmapped> {
    let class = classes().find(|class| class.name == name);
    class.ok_or_else(|| Unmapped(format!("there is no sampler for diffusers' {name} here")))
}

/// What the constructor of `class` takes where nothing is given.
fn defaults(class: &Class) -> Value {
    let mut defaults = json!({"num_train_timesteps": 1000, "beta_schedule": "linear", "beta_start": 0.0001,
        "beta_end": 0.02, "timestep_spacing": "leading", "prediction_type": "epsilon", "thresholding": false,
        "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "clip_sample_range": 1.0});
    for (key, value) in (class.defaults)().as_object().into_iter().flatten() {
        defaults[key] = value.clone();
    }
    defaults
}

impl Class {
    /// Every argument of the constructor that the mapping reads.
    fn honoured(&self) -> impl Iterator<Item = &'static str> {
        [ALWAYS].iter().chain(self.honoured).copied().flatten().copied()
    }

    /// Whether the mapping reads the constructor's argument `key`.
    fn reads(&self, key: &str) -> bool {
        self.honoured().any(|known| known == key)
    }
}

/// Maps a run with the scheduler class `requested.name`.
///
/// # Errors
/// A class that is not known here; an argument, by its name, that is not known or of the wrong kind; a process or steps
/// that no sampler here can take.
pub fn map(requested: &Requested<'_>) -> Result<Mapped, Unmapped> {
    let class = class(requested.name)?;
    let defaults = defaults(class);
    let config = over(&defaults, requested.config, &class.honoured().collect::<Vec<_>>())?;
    let mut given = requested.timesteps.clone();
    given.extend(requested.step.clone());
    // What a class does not read may be given as long as it changes nothing.
    let mut idle = json!({"eta": 0.0, "s_churn": 0.0});
    idle.as_object_mut().into_iter().for_each(|keys| keys.retain(|key, _| !class.calls.contains(&key.as_str())));
    let calls = over(&idle, &given, &[class.calls, &["num_inference_steps"]].concat())?;
    (class.map)(&Setup { steps: requested.steps, keys: Keys(&config), calls: Keys(&calls) })
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

    /// Number of steps that were requested, or are listed.
    fn count(&self) -> Result<usize, Unmapped> {
        let listed = self.calls.numbers("timesteps")?.map(|times| times.len());
        super::count(self.steps.or(listed))
    }

    /// What the class does to `x_0`. It thresholds rather than clips where both are set.
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

    /// The process that the network was trained on, as the classes hold it that work with ratios: where the last of them
    /// would be infinite, `alpha_bar` is 2^-24.
    fn table(&self) -> Result<Discrete, Unmapped> {
        Ok(self.keys.discrete()?.ending_at((2.0_f64.powi(24) - 1.0).sqrt()))
    }

    /// `n` ratios between `most` and `least` in the spacing that the config switches on, if any.
    fn respaced(&self, most: f64, least: f64, n: usize) -> Result<Option<Vec<f64>>, Unmapped> {
        Ok(if self.flag("use_karras_sigmas")? {
            Some(karras(most, least, Spacing::RHO, n))
        } else if self.flag("use_exponential_sigmas")? || self.flag("use_lu_lambdas")? {
            Some(exponential(most, least, n))
        } else if self.flag("use_beta_sigmas")? {
            Some(beta(most, least, 0.6, 0.6, n))
        } else {
            None
        })
    }

    /// Whether the config says to end in clean data, and not at the least noise of training.
    fn ends_clean(&self) -> Result<bool, Unmapped> {
        match self.keys.text("final_sigmas_type")?.unwrap_or("zero") {
            "zero" => Ok(true),
            "sigma_min" => Ok(false),
            other => Err(Unmapped(format!("final_sigmas_type `{other}` is not known here"))),
        }
    }

    /// How far a flow's times are shifted: `key` of the config, or what `set_timesteps` is given for the picture's size.
    fn shift(&self, key: &'static str) -> Result<f64, Unmapped> {
        let exponential = self.keys.text("time_shift_type")?.unwrap_or("exponential") == "exponential";
        match self.calls.number("mu")? {
            Some(mu) => Ok(if exponential { mu.exp() } else { mu }),
            None if self.flag("use_dynamic_shifting")? => {
                Err(Unmapped("`mu` of a dynamic shift is not given".to_owned()))
            }
            None => Ok(self.keys.number(key)?.unwrap_or(1.0)),
        }
    }
}

/// Part `s` of the way from data to noise, shifted (Esser et al. 2024, arXiv 2403.03206, equation 23).
fn shifted(s: f64, shift: f64) -> f64 {
    shift * s / (1.0 + (shift - 1.0) * s)
}

/// Stretches a flow's `sigmas` so that the last of them is `terminal`.
fn stretch(sigmas: &mut [f64], terminal: f64) {
    let scale = (1.0 - sigmas[sigmas.len() - 1]) / (1.0 - terminal);
    sigmas.iter_mut().for_each(|s| *s = 1.0 - (1.0 - *s) / scale);
}
