//! What a record's settings ask of a sampler.

use super::record::{Record, Settings};
use super::{diffusers, kdiffusion};
use crate::denoise::{ConfigError, Prediction};
use crate::math::{Grid, Level};
use serde_json::{Map, Value};

/// A walk that a sampler here can do.
pub(super) struct Plan {
    /// Id of the sampler's row.
    pub sampler: &'static str,
    /// `None` takes the sampler's default.
    pub eta: Option<f64>,
    pub prediction: Prediction,
    /// Bound on the values of the estimated `x_0`, if they are clipped.
    pub clip: Option<f64>,
    /// What the first draw is scaled by.
    pub start: f64,
    /// Where each step begins and ends; `t` of its beginning is the timestep that a network would be told.
    pub steps: Vec<(Level, Level)>,
    /// Steps, by index, before which a multistep method forgets the steps before.
    pub forget: Vec<usize>,
}

/// Why there is no such walk.
#[derive(Debug, PartialEq)]
pub(super) struct Unknown(pub String);

impl From<ConfigError> for Unknown {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

/// A part of a walk that one run of a sampler covers.
#[derive(Debug, PartialEq)]
pub(super) enum Leg {
    Walk(Grid),
    /// A step that ends where it begins.
    Stay,
}

/// The plan of a case. The outer error is a problem of the record.
pub(super) fn of(case: &Record) -> Result<Result<Plan, Unknown>, String> {
    let reference = case.reference.as_deref().unwrap_or("a case without a `reference`");
    let unknown = || Ok(Err(Unknown(format!("there is no sampler for {reference} here"))));
    if let Some(class) = reference.strip_prefix("diffusers.").and_then(diffusers::class) {
        return Ok(diffusers::plan(class, &case.settings()?));
    }
    match reference.strip_prefix("k_diffusion.sampling.").and_then(kdiffusion::sampler) {
        Some(sampler) => Ok(kdiffusion::plan(sampler, &case.settings()?)),
        None => unknown(),
    }
}

/// The values of `given` over those of `defaults`, both by key. A value may differ from the default only where the key
/// is one of `honoured`; any other would be left out of the replay.
pub(super) fn over(
    defaults: &Value,
    given: &Map<String, Value>,
    honoured: &[&str],
) -> Result<Map<String, Value>, Unknown> {
    let mut values = defaults.as_object().cloned().unwrap_or_default();
    for (key, value) in given {
        let same = |a: &Value| a == value || a.is_number() && a.as_f64() == value.as_f64();
        if !honoured.contains(&key.as_str()) && !values.get(key).is_some_and(same) {
            return Err(Unknown(format!("`{key}` = {value} is not replayed")));
        }
        values.insert(key.clone(), value.clone());
    }
    Ok(values)
}

/// What the model of a case returns.
pub(super) fn prediction(settings: &Settings) -> Result<Prediction, Unknown> {
    let name = settings.prediction_type.as_str();
    // k-diffusion's models return x_0 itself.
    let name = if name == "denoised" { "sample" } else { name };
    let unknown = |_| Unknown(format!("prediction_type `{name}` is not replayed"));
    serde_json::from_value(Value::from(name)).map_err(unknown)
}

/// The steps through `levels` and on to `end`.
pub(super) fn chain(levels: &[Level], end: Level) -> Vec<(Level, Level)> {
    let ends = levels.iter().skip(1).copied().chain([end]);
    levels.iter().copied().zip(ends).collect()
}

/// Whether two levels have the same alpha and sigma, but for the digits that a ratio loses when it is raised to a power
/// and back.
pub(super) fn same(a: Level, b: Level) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * b;
    near(a.alpha, b.alpha) && near(a.sigma, b.sigma)
}

impl Plan {
    /// The walk in as few legs as its jumps and lapses of memory allow.
    pub fn legs(&self) -> Result<Vec<Leg>, Unknown> {
        let mut legs = Vec::new();
        let mut levels: Vec<Level> = Vec::new();
        for (k, (from, to)) in self.steps.iter().copied().enumerate() {
            let goes_on = levels.last().is_some_and(|at| same(*at, from)) && !self.forget.contains(&k);
            if !goes_on || same(from, to) {
                legs.extend(close(&mut levels)?);
            }
            if same(from, to) {
                legs.push(Leg::Stay);
                continue;
            }
            if levels.is_empty() {
                levels.push(from);
            }
            levels.push(to);
        }
        legs.extend(close(&mut levels)?);
        Ok(legs)
    }
}

/// The leg through `levels`, which are taken; `None` if there are none.
fn close(levels: &mut Vec<Level>) -> Result<Option<Leg>, Unknown> {
    if levels.is_empty() {
        return Ok(None);
    }
    let grid = Grid::new(std::mem::take(levels));
    grid.map(|grid| Some(Leg::Walk(grid))).map_err(|e| Unknown(format!("its levels are no grid: {e}")))
}
