//! Reading the files of a family.

use super::ReplayError;
use crate::interchange::scheduler_config::strict;
use crate::interchange::{Arguments, Asked};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A point of the recorded runs' sample space.
pub(super) type Point = [f64; 2];

/// One recorded trajectory.
pub(super) struct Record {
    pub id: String,
    /// Class or function that was recorded; `None` in a record of something that is no sampler.
    pub reference: Option<String>,
    settings: Value,
    tensors: BTreeMap<String, Tensor>,
}

/// The settings of a trajectory.
#[derive(Deserialize)]
pub(super) struct Settings {
    /// Arguments of the constructor; those not listed have the class's defaults.
    #[serde(default)]
    pub config: Arguments,
    #[serde(default)]
    pub set_timesteps_kwargs: Arguments,
    #[serde(default)]
    pub step_kwargs: Arguments,
    /// Absent where `set_timesteps_kwargs` lists the timesteps.
    pub n_steps: Option<usize>,
    /// Whether each model evaluation is the last of its step. The last of all is, whatever is written: Heun's final
    /// Euler step is recorded as if it had a second half.
    pub full_step_after: Vec<bool>,
}

struct Tensor {
    shape: Vec<usize>,
    values: Vec<f64>,
}

/// The cases of the family whose index is `path`.
pub(super) fn read(path: &Path) -> Result<Vec<Record>, ReplayError> {
    #[derive(Deserialize)]
    struct Index {
        cases: Vec<Value>,
    }
    let file = |path: &Path| std::fs::read(path).map_err(|source| ReplayError::Io { path: path.to_owned(), source });
    let malformed = |path: &Path, problem: String| ReplayError::Malformed { path: path.to_owned(), problem };
    let text = String::from_utf8(file(path)?).map_err(|e| malformed(path, e.to_string()))?;
    let index: Index = serde_json::from_str(&strict(&text)).map_err(|e| malformed(path, e.to_string()))?;
    let tensors_path = path.with_extension("safetensors");
    let bytes = file(&tensors_path)?;
    let all = SafeTensors::deserialize(&bytes).map_err(|e| malformed(&tensors_path, e.to_string()))?;
    let record = |settings: Value| {
        let text = |key: &str| settings.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = text("id").ok_or("a case without an `id`")?;
        let tensors = tensors(&all, &id)?;
        Ok(Record { id, reference: text("reference"), settings, tensors })
    };
    index.cases.into_iter().map(|case| record(case).map_err(|e| malformed(path, e))).collect()
}

/// The floating-point tensors of a case, by name.
fn tensors(all: &SafeTensors<'_>, id: &str) -> Result<BTreeMap<String, Tensor>, String> {
    let mut found = BTreeMap::new();
    for name in all.names() {
        let Some(short) = name.strip_prefix(id).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let view = all.tensor(name).map_err(|e| e.to_string())?;
        let values = match view.dtype() {
            Dtype::F64 => view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
            _ => continue,
        };
        found.insert(short.to_owned(), Tensor { shape: view.shape().to_vec(), values });
    }
    Ok(found)
}

impl Settings {
    /// The model evaluations that end a step, by index.
    pub fn ends(&self) -> Vec<usize> {
        let calls = self.full_step_after.len();
        (0..calls).filter(|&i| self.full_step_after[i] || i + 1 == calls).collect()
    }

    /// What the library was asked for: `name` is that of the class or function.
    pub fn asked<'a>(&'a self, name: &'a str) -> Asked<'a> {
        Asked {
            name,
            config: &self.config,
            timesteps: &self.set_timesteps_kwargs,
            step: &self.step_kwargs,
            steps: self.n_steps,
        }
    }
}

impl Record {
    pub fn settings(&self) -> Result<Settings, String> {
        Settings::deserialize(&self.settings).map_err(|e| e.to_string())
    }

    /// The points of tensor `name` of shape `[n, particles, 2]`, or `[particles, 2]` as the only entry.
    pub fn points(&self, name: &str) -> Result<Vec<Vec<Point>>, String> {
        let Tensor { shape, values } = self.tensor(name)?;
        let particles = match shape[..] {
            [_, particles, 2] | [particles, 2] if particles > 0 => particles,
            _ => return Err(format!("`{name}` has shape {shape:?}, not [.., particles, 2]")),
        };
        Ok(values.as_chunks::<2>().0.chunks(particles).map(<[Point]>::to_vec).collect())
    }

    /// The learned variance of each evaluation: columns 2 and 3 of `out`, if it has them.
    pub fn variances(&self) -> Result<Vec<Vec<Point>>, String> {
        let Some(Tensor { shape, values }) = self.tensors.get("out") else { return Ok(Vec::new()) };
        match shape[..] {
            [_, particles, 4] if particles > 0 => {
                let learned: Vec<Point> = values.as_chunks::<4>().0.iter().map(|[_, _, a, b]| [*a, *b]).collect();
                Ok(learned.chunks(particles).map(<[Point]>::to_vec).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The pairs of tensor `name` of shape `[n, 2]`.
    pub fn pairs(&self, name: &str) -> Result<Vec<Point>, String> {
        let Tensor { shape, values } = self.tensor(name)?;
        let [_, 2] = shape[..] else { return Err(format!("`{name}` has shape {shape:?}, not [n, 2]")) };
        Ok(values.as_chunks::<2>().0.to_vec())
    }

    /// The numbers of tensor `name`; `None` if there is no such tensor.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        self.tensors.get(name).map(|tensor| &tensor.values[..])
    }

    /// Whether tensor `name` was recorded.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, String> {
        self.tensors.get(name).ok_or_else(|| format!("there is no tensor `{}/{name}` of numbers", self.id))
    }
}
