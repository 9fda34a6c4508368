//! Replays recorded trajectories of other libraries with the samplers of this one.
//!
//! A folder holds `FAMILY.json` with the settings of each case and `FAMILY.safetensors` with what happened: the drawn
//! noise and the point after every model evaluation, in double precision, for an exact model of four Gaussians. A case
//! passes if the levels that its settings lead to here, and every point that the sampler reaches on them with the same
//! noise, agree with the record.

mod batch;
mod model;
mod record;
mod summary;
mod trajectory;

pub use summary::{By, Group, summary};

use crate::interchange::{Mapped, Unmapped, diffusers, k_diffusion};
use record::{Record, Settings};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Largest `|dx| / (1 + |x|)` of a case that passes: double precision on both sides, less the digits that a long run
/// and the subtractions at large noise cost.
pub const TOLERANCE: f64 = 1e-9;

/// What became of one recorded trajectory.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The case's id: family, variant and steps.
    pub id: String,
    /// Id of the sampler's row that its settings lead to, if they lead to one.
    pub sampler: Option<&'static str>,
    pub outcome: Outcome,
}

/// How a replay ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Every number agreed; `worst` is the largest `|dx| / (1 + |x|)` of any point.
    Passed { worst: f64 },
    /// Some number did not, `worst` as above; infinite where there was nothing to compare.
    Failed { worst: f64, reason: String },
    /// The case needs something that no sampler here does.
    Skipped { reason: String },
}

/// Why recorded trajectories could not be read.
#[derive(Debug, Error)]
pub enum ReplayError {
    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} holds no recorded trajectories (FAMILY.json with FAMILY.safetensors)", .0.display())]
    Empty(PathBuf),
    #[error("{} is not a record of trajectories: {problem}", path.display())]
    Malformed { path: PathBuf, problem: String },
}

/// Replays every case of every family in the folder `path`, in the order of the files' names.
///
/// # Errors
/// A folder or file that cannot be read, holds no record, or holds one that is incomplete or not of the schema.
pub fn dir(path: &Path) -> Result<Vec<Replayed>, ReplayError> {
    let io = |source| ReplayError::Io { path: path.to_owned(), source };
    let files: Vec<PathBuf> =
        path.read_dir().map_err(io)?.map(|entry| Ok(entry.map_err(io)?.path())).collect::<Result<_, ReplayError>>()?;
    let mut indexes: Vec<PathBuf> = files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "json")).collect();
    indexes.sort();
    if indexes.is_empty() {
        return Err(ReplayError::Empty(path.to_owned()));
    }
    let mut replayed = Vec::new();
    for index in indexes {
        let malformed = |problem| ReplayError::Malformed { path: index.clone(), problem };
        for case in record::read(&index)? {
            let (sampler, outcome) = replay(&case).map_err(|problem| malformed(format!("{}: {problem}", case.id)))?;
            replayed.push(Replayed { id: case.id, sampler, outcome });
        }
    }
    Ok(replayed)
}

/// Replays one case; an error is a problem of its record.
fn replay(case: &Record) -> Result<(Option<&'static str>, Outcome), String> {
    let settings = case.settings()?;
    Ok(match mapped(case, &settings) {
        Ok(mapped) => (Some(mapped.sampler), trajectory::compare(&mapped, case, &settings)?),
        Err(Unmapped(reason)) => (None, Outcome::Skipped { reason }),
    })
}

/// The run that a case's settings describe.
fn mapped(case: &Record, settings: &Settings) -> Result<Mapped, Unmapped> {
    let reference = case.reference.as_deref().unwrap_or("a case without a `reference`");
    if let Some(class) = reference.strip_prefix("diffusers.") {
        return diffusers::map(&settings.requested(class));
    }
    match reference.strip_prefix("k_diffusion.sampling.") {
        Some(function) => k_diffusion::map(&settings.requested(function)),
        None => Err(Unmapped(format!("there is no sampler for {reference} here"))),
    }
}
