//! A whole run of training, from a recipe and the files of a data set to the files of a model.

mod checkpoint;
mod curve;
mod export;
mod figures;
mod fit;
mod labelled;
mod log;
mod scenes;

pub use curve::curve;
pub use fit::Progress;

use super::recipe::{Kind, Recipe, RecipeError};
use crate::backend::BackendError;
use crate::dataset::DataError;
use crate::pipeline::text::TokenizerError;
use burn::tensor::Device;
use std::fmt::Display;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a run did not end in a model.
#[derive(Debug, Error)]
pub enum RunError {
    #[error("{}: {source}", .path.display())]
    Recipe { path: PathBuf, source: RecipeError },
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error("the recipe's [{section}] cannot be built: {why}")]
    Network { section: &'static str, why: String },
    #[error("[train] init: {} does not hold the network that [{section}] describes: {why}", .path.display())]
    Init { path: PathBuf, section: &'static str, why: String },
    #[error("[latents] autoencoder: {} does not hold one: {why}", .path.display())]
    Autoencoder { path: PathBuf, why: String },
    #[error("{}: {source}", .path.display())]
    Tokenizer { path: PathBuf, source: TokenizerError },
    #[error("{} has tokens up to number {largest}, but [tokenizer] size is {size}", .path.display())]
    Tokens { path: PathBuf, largest: u32, size: usize },
    #[error("the data's pictures have {got:?} channels, height and width, but [model] expects {expected:?}")]
    Shape { got: [usize; 3], expected: [usize; 3] },
    #[error("the data has the label {got}, but the recipe names {classes} classes, counted from 0")]
    Label { got: usize, classes: usize },
    #[error("the data holds no pictures")]
    NoPictures,
    #[error("the data holds a single base emoji, but a caption that is not true of it needs another one")]
    OneEmoji,
    #[error("[augment] hue turns three colours, but the data's pictures have {0} channels")]
    Hue(usize),
    #[error("{} cannot be read or written: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} belongs to an unfinished run; continue it with --resume, or delete it", .0.display())]
    Unfinished(PathBuf),
    #[error("--resume found no checkpoint at {}; leave --resume away to start anew", .0.display())]
    NoCheckpoint(PathBuf),
    #[error("{} is not a checkpoint of this recipe: {why}", .path.display())]
    Checkpoint { path: PathBuf, why: String },
    #[error(
        "the recipe has changed since {} was written ({}); put it back, or start anew without --resume",
        .path.display(), .keys.join(", ")
    )]
    Changed { path: PathBuf, keys: Vec<String> },
    #[error("the weights cannot be written as safetensors: {0}")]
    Export(String),
    #[error("the loss is {loss} at step {step}; lower [train] lr")]
    Diverged { loss: f32, step: usize },
}

/// What to do.
pub struct Job<'a> {
    /// The recipe's file.
    pub recipe: &'a Path,
    /// The folder of the data set's files.
    pub data: &'a Path,
    /// The folder to make.
    pub out: &'a Path,
    /// Whether to continue from the folder's checkpoint.
    pub resume: bool,
    pub device: &'a Device,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The model is written. Decay and held-out loss of each average of the weights, where there is held-out data, and a
    /// classifier's accuracy on held-out pictures.
    Done { held_out: Vec<(f64, f64)>, accuracy: Option<f64> },
    /// Stopped on request after this step; a checkpoint is written.
    Stopped { step: usize, steps: usize },
}

/// Follows a recipe. `watch` is called after every step, and stops the run by breaking.
///
/// # Errors
/// A recipe, data, checkpoint or folder that cannot be used, and a loss that is NaN or infinite.
pub fn run(job: &Job, watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Result<Outcome, RunError> {
    let text = std::fs::read_to_string(job.recipe).map_err(file(job.recipe))?;
    let at_fault = |source| RunError::Recipe { path: job.recipe.to_owned(), source };
    let recipe = Recipe::from_toml(&text).map_err(at_fault)?;
    let fit = fit::Fit { job, recipe: &recipe, text: &text };
    match &recipe.kind {
        Kind::Labelled(labelled) => labelled::run(&fit, labelled, watch),
        Kind::Autoencoder(autoencoder) => scenes::autoencoder(&fit, autoencoder, watch),
        Kind::Captioned(captioned) => scenes::captioned(&fit, captioned, watch),
        Kind::Judging(judging) => scenes::judge(&fit, judging, watch),
    }
}

/// Why the network of a section cannot be built.
fn unbuildable<E: Display>(section: &'static str) -> impl Fn(E) -> RunError {
    move |why| RunError::Network { section, why: why.to_string() }
}

/// The folder `name` in the folder that `out` is in.
fn beside(out: &Path, name: &str) -> PathBuf {
    out.parent().unwrap_or(Path::new("")).join(name)
}

fn file(path: &Path) -> impl Fn(io::Error) -> RunError + use<'_> {
    move |source| RunError::File { path: path.to_owned(), source }
}
