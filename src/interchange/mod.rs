//! Floor 3: what the settings of other libraries mean here. Pure arithmetic: no burn, no wasm.
//!
//! Another library names a scheduler class or a function and gives it arguments. [`diffusers`] and [`k_diffusion`] turn
//! those into a [`Mapped`] run: a row of the sampler table, its tuning, and every level that it steps between. What
//! cannot be said in those terms is [`Unmapped`], in words.

pub mod diffusers;
mod follow;
pub mod k_diffusion;
pub mod python;
mod scalings;
pub mod scheduler_config;

pub use follow::Used;
pub use scalings::{Scaled, Scalings};
pub use scheduler_config::ConfigError;

use crate::denoise::{Clip, Prediction};
use crate::math::{Level, Schedule, ScheduleError, Spacing};
use crate::samplers::{Listed, Tuning, method};
use serde_json::{Map, Value};
use thiserror::Error;

/// Arguments by name, as JSON.
pub type Arguments = Map<String, Value>;

/// A run as another library describes it.
#[derive(Clone, Copy, Debug)]
pub struct Requested<'a> {
    /// Class or function, without its module.
    pub name: &'a str,
    /// Arguments of the constructor, or of a function that takes them with its steps. Those not listed have their
    /// library's defaults.
    pub config: &'a Arguments,
    /// Arguments that list the steps (`set_timesteps`).
    pub timesteps: &'a Arguments,
    /// Arguments of every step (`step`).
    pub step: &'a Arguments,
    /// Number of steps; `None` where the arguments list them.
    pub steps: Option<usize>,
}

/// A run in the terms of this library.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// Id of the sampler's row, or [`diffusers::INVERSE`].
    pub sampler: &'static str,
    pub tuning: Tuning,
    /// The order of each step, where the library does not follow the rule of the samplers themselves.
    pub orders: Option<Vec<usize>>,
    /// How many estimates the corrector of each step takes, 0 for none; empty where it follows the row's rule.
    pub corrections: Vec<usize>,
    /// Where each step begins and ends; `t` of its beginning is the conditioning time of the network. Steps without
    /// length leave the point where it is. They do not always chain, and those of an inversion run from clean to noisy.
    pub steps: Vec<(Level, Level)>,
    /// The levels that the network is shown, step by step, where they are not those that the steps begin at.
    pub shown: Option<Vec<Level>>,
    /// The process that the levels were taken from.
    pub schedule: Schedule,
    /// What the network returns.
    pub prediction: Prediction,
    /// What becomes of the estimated `x_0`.
    pub bound: Option<Bound>,
    /// What the first draw is scaled by.
    pub start: f64,
    /// Which of its draws the library uses.
    pub draws: Draws,
    /// The noise that the library adds to the finished point, if it does.
    pub last_noise: Option<LastNoise>,
}

/// A bound on the values of the estimated `x_0`: the arguments of [`Clipped`](crate::denoise::Clipped).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    pub clip: Clip,
    /// Whether the noise is the one that the bounded `x_0` implies; else it stays that of the unbounded one.
    pub use_clipped_model_output: bool,
}

/// Noise on the finished point: of standard deviation `small` or `large`, or what a learned variance says between the
/// logarithms of the two, where the network has learned one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastNoise {
    pub small: f64,
    pub large: f64,
    /// Whether it is in the picture; the step that adds it may also say what the point was without.
    pub in_picture: bool,
}

/// Which of its draws a library uses, in their order. What it draws and multiplies by 0, or drops, is left out here.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Draws {
    #[default]
    All,
    /// Whether each is used; those after the last listed are.
    Listed(Vec<bool>),
}

impl Draws {
    /// Those of a run that begins `skipped` draws later.
    #[must_use]
    pub fn after(&self, skipped: usize) -> Self {
        match self {
            Self::All => Self::All,
            Self::Listed(used) => Self::Listed(used.iter().skip(skipped).copied().collect()),
        }
    }
}

/// Why a run cannot be mapped.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{0}")]
pub struct Unmapped(pub(crate) String);

impl From<ConfigError> for Unmapped {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<ScheduleError> for Unmapped {
    fn from(error: ScheduleError) -> Self {
        Self(error.to_string())
    }
}

impl Mapped {
    /// The orders for a [`Run`](crate::samplers::Run).
    pub fn listed(&self) -> Option<Listed<'_>> {
        self.orders.as_deref().map(|steps| Listed { steps, corrections: &self.corrections })
    }

    /// Sets the knob `id` of the run's sampler.
    fn turn(&mut self, id: &str, value: f64) -> Result<(), Unmapped> {
        let row = method::<f64>(self.sampler);
        let knob = row.and_then(|row| row.knob(id).copied());
        match knob.filter(|knob| knob.range().contains(&value)) {
            Some(knob) => self.tuning = std::mem::take(&mut self.tuning).with(&knob, value),
            None => return Err(Unmapped(format!("{} with {id} {value} is not known here", self.sampler))),
        }
        Ok(())
    }

    /// The trajectory of a row at its own tuning through `steps`, of a network that predicts `prediction` from `start` times
    /// a draw: what most runs change only a part of.
    fn new(
        sampler: &'static str,
        schedule: Schedule,
        steps: Vec<(Level, Level)>,
        prediction: Prediction,
        start: f64,
    ) -> Result<Self, Unmapped> {
        if steps.is_empty() {
            return Err(no_steps());
        }
        if sampler != diffusers::INVERSE && method::<f64>(sampler).is_none() {
            return Err(Unmapped(format!("there is no sampler `{sampler}` here")));
        }
        Ok(Self {
            sampler,
            tuning: Tuning::default(),
            orders: None,
            corrections: Vec::new(),
            steps,
            shown: None,
            schedule,
            prediction,
            bound: None,
            start,
            draws: Draws::All,
            last_noise: None,
        })
    }
}

/// The steps through `levels` and on to `end`.
fn chain(levels: &[Level], end: Level) -> Vec<(Level, Level)> {
    let ends = levels.iter().skip(1).copied().chain([end]);
    levels.iter().copied().zip(ends).collect()
}

/// The number of steps that were requested, if there can be so many.
fn count(steps: Option<usize>) -> Result<usize, Unmapped> {
    let known = steps.filter(|n| (1..=Spacing::MOST_STEPS).contains(n));
    known.ok_or_else(|| {
        Unmapped(steps.map_or_else(
            || "the number of steps is not given".to_owned(),
            |n| format!("a run of {n} steps cannot be mapped"),
        ))
    })
}

fn no_steps() -> Unmapped {
    Unmapped("a run without steps cannot be mapped".to_owned())
}

/// The values of `given` over those of `defaults`, both by key. A value may differ from the default only where the key
/// is one of `honoured`; any other would be lost on the way, unless it is off, empty or nothing, as what a newer version
/// of the library does not do by itself.
fn over(defaults: &Value, given: &Arguments, honoured: &[&str]) -> Result<Arguments, Unmapped> {
    let mut values = defaults.as_object().cloned().unwrap_or_default();
    // What is null is left to the library, as if it were not given.
    for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let same = |a: &Value| a == value || a.is_number() && a.as_f64() == value.as_f64();
        let off = value == &Value::Bool(false) || value.as_array().is_some_and(Vec::is_empty);
        let known = honoured.contains(&key.as_str()) || values.get(key).map_or(off, same);
        if !known {
            return Err(Unmapped(format!("`{key}` = {value} is not known here")));
        }
        values.insert(key.clone(), value.clone());
    }
    Ok(values)
}
