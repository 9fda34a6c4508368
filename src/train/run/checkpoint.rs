//! A run that was interrupted.

use super::{RunError, file};
use crate::models::values;
use crate::train::recipe::Recipe;
use crate::train::trainer::State;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a run continues from: one safetensors file, with the recipe in its header.
pub struct Checkpoint {
    pub state: State,
    pub elapsed: Duration,
    /// The smoothed loss.
    pub smooth: Option<f64>,
}

const WEIGHTS: &str = "weights";
const MOMENTS: [&str; 2] = ["moment_1", "moment_2"];

impl Checkpoint {
    /// The file in the folder `out`.
    pub fn place(out: &Path) -> PathBuf {
        out.join("checkpoint.safetensors")
    }

    /// Written beside its place and renamed: whoever reads it finds the old one or the new one, never half of one.
    pub fn write(&self, place: &Path, recipe: &str) -> Result<(), RunError> {
        let State { step, weights, moments: [first, second], averages } = &self.state;
        let vectors = [(WEIGHTS.to_owned(), weights), (MOMENTS[0].to_owned(), first), (MOMENTS[1].to_owned(), second)];
        let averages = averages.iter().enumerate().map(|(i, average)| (average_name(i), average));
        let bytes: Vec<(String, Vec<u8>)> = (vectors.into_iter().chain(averages))
            .map(|(name, vector)| (name, vector.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let views =
            bytes.iter().map(|(name, bytes)| Ok((name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?)));
        let header = HashMap::from([
            ("recipe".to_owned(), recipe.to_owned()),
            ("step".to_owned(), step.to_string()),
            ("elapsed".to_owned(), self.elapsed.as_secs_f64().to_string()),
            ("smooth".to_owned(), self.smooth.map_or(String::new(), |smooth| smooth.to_string())),
        ]);
        let unfit =
            |e: safetensors::SafeTensorError| RunError::Checkpoint { path: place.to_owned(), why: e.to_string() };
        let bytes =
            views.collect::<Result<Vec<_>, _>>().and_then(|views| serialize(views, Some(header))).map_err(unfit)?;
        let part = place.with_extension("part");
        fs::write(&part, bytes).and_then(|()| fs::rename(&part, place)).map_err(file(place))
    }

    /// Reads a checkpoint of `recipe`.
    pub fn read(place: &Path, recipe: &Recipe) -> Result<Self, RunError> {
        if !place.exists() {
            return Err(RunError::NoCheckpoint(place.to_owned()));
        }
        let bytes = fs::read(place).map_err(file(place))?;
        let damaged = |why: String| RunError::Checkpoint { path: place.to_owned(), why };
        let said = |e: &dyn std::error::Error| damaged(e.to_string());
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| said(&e))?;
        let header = |key: &str| {
            let value = metadata.metadata().as_ref().and_then(|header| header.get(key));
            value.ok_or_else(|| damaged(format!("its header has no {key}")))
        };
        let number = |key: &str| header(key)?.parse::<f64>().map_err(|e| said(&e));
        let written = Recipe::from_toml(header("recipe")?).map_err(|e| said(&e))?;
        let keys = recipe.what_changed(&written);
        if !keys.is_empty() {
            return Err(RunError::Changed { path: place.to_owned(), keys });
        }
        let vector = |name: &str| values(&bytes, name).map(|(values, _)| values).map_err(|e| said(&e));
        let [first, second] = MOMENTS;
        let averages = (0..recipe.train.ema_decays.len()).map(|i| vector(&average_name(i)));
        let state = State {
            step: header("step")?.parse().map_err(|e: std::num::ParseIntError| said(&e))?,
            weights: vector(WEIGHTS)?,
            moments: [vector(first)?, vector(second)?],
            averages: averages.collect::<Result<_, _>>()?,
        };
        let elapsed = Duration::try_from_secs_f64(number("elapsed")?).map_err(|e| said(&e))?;
        let smooth = if header("smooth")?.is_empty() { None } else { Some(number("smooth")?) };
        Ok(Self { state, elapsed, smooth })
    }

    /// Removes the checkpoint of a run that is done, if there is one.
    pub fn remove(place: &Path) -> Result<(), RunError> {
        if place.exists() { fs::remove_file(place).map_err(file(place)) } else { Ok(()) }
    }
}

fn average_name(which: usize) -> String {
    format!("average.{which}")
}
