//! A whole run of training, from a recipe and the files of a data set to the files of a model.

mod checkpoint;
mod curve;
mod export;
mod fit;
mod log;

pub use curve::curve;
pub use fit::Progress;

use super::draws::{Distribution, Stream};
use super::guidance::Guidance;
use super::initial;
use super::recipe::{Network, Recipe, RecipeError};
use super::tasks::{Classify, Denoise, Denoiser};
use crate::backend::BackendError;
use crate::dataset::{DataError, Pictures};
use crate::models::classifier::{ClassifierConfig, NoisyClassifier};
use crate::models::unet2d::{Unet2d, Unet2dConfig};
use burn::tensor::Device;
use serde_json::Value;
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
    #[error("[train] init: {} does not hold the network that [model] describes: {why}", .path.display())]
    Init { path: PathBuf, why: String },
    #[error("the data's pictures have {got:?} channels, height and width, but [model] expects {expected:?}")]
    Shape { got: [usize; 3], expected: [usize; 3] },
    #[error("the data has the label {got}, but the recipe names {classes} classes, counted from 0")]
    Label { got: usize, classes: usize },
    #[error("the data holds no pictures")]
    NoPictures,
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
    let process = recipe.process().map_err(|e| at_fault(e.into()))?;
    let split = recipe.data.read(job.data)?;
    let device = job.device.clone().autodiff();
    let weights = Stream::Weights.generator(recipe.train.seed, 0);
    let fit = |distribution| fit::Fit { job, recipe: &recipe, text: &text, split: &split, distribution };
    match &recipe.network {
        Network::Denoiser { model, objective, page } => {
            let config = json(model, "UNet2DModel");
            let build = |e: &dyn Display| RunError::Network { section: "model", why: e.to_string() };
            let net = Unet2dConfig::from_json(&config.to_string()).map_err(|e| build(&e))?;
            let [height, width] = net.sample_size;
            let none = page.classes.len();
            check(&recipe, &split.seen, [net.in_channels, height, width], none)?;
            let distribution = Distribution {
                process,
                augment: recipe.augment.clone(),
                label_drop: Some((objective.label_drop, none)),
                clean_share: 0.0,
            };
            let unet = initial::weights(Unet2d::new(&net, &device), weights.clone());
            let unet = match &recipe.train.init {
                Some(name) => export::unet(&beside(job.out, name), &config, &device)?,
                None => unet,
            };
            let denoiser = Denoiser::new(unet, recipe.augment.is_some(), &device, weights);
            let guidance = match (objective.guidance, &recipe.train.init) {
                (Some(scale), Some(name)) => {
                    let teacher = export::unet(&beside(job.out, name), &config, job.device)?;
                    Some(Guidance { teacher, scale, none })
                }
                _ => None,
            };
            let task = Denoise { prediction: objective.prediction, min_snr_gamma: objective.min_snr_gamma, guidance };
            let write =
                |net: &Unet2d| export::denoiser(job.out, net, &config, &recipe.schedule, objective.prediction, page);
            fit(distribution).run(task, denoiser, write, watch)
        }
        Network::Classifier { classifier, objective } => {
            let config = json(classifier, "NoisyClassifier");
            let net = ClassifierConfig::from_json(&config.to_string())
                .map_err(|e| RunError::Network { section: "classifier", why: e.to_string() })?;
            let [_, height, width] = split.seen.shape;
            check(&recipe, &split.seen, [net.in_channels, height, width], net.num_classes)?;
            let distribution = Distribution {
                process,
                augment: recipe.augment.clone(),
                label_drop: None,
                clean_share: objective.clean_share,
            };
            let net = initial::weights(NoisyClassifier::new(&net, &device), weights);
            fit(distribution).run(Classify, net, |net| export::classifier(job.out, net, &config), watch)
        }
    }
}

/// The section of a recipe as the `config.json` of a class.
fn json(section: &toml::Table, class: &str) -> Value {
    let mut config = serde_json::json!(section);
    config["_class_name"] = Value::from(class);
    config
}

/// The folder `name` in the folder that `out` is in.
fn beside(out: &Path, name: &str) -> PathBuf {
    out.parent().unwrap_or(Path::new("")).join(name)
}

fn check(recipe: &Recipe, seen: &Pictures, expected: [usize; 3], classes: usize) -> Result<(), RunError> {
    if seen.is_empty() {
        Err(RunError::NoPictures)
    } else if seen.shape != expected {
        Err(RunError::Shape { got: seen.shape, expected })
    } else if let Some(&got) = seen.labels.iter().find(|&&label| label >= classes) {
        Err(RunError::Label { got, classes })
    } else if recipe.augment.as_ref().is_some_and(|augment| augment.hue > 0.0) && seen.shape[0] != 3 {
        Err(RunError::Hue(seen.shape[0]))
    } else {
        Ok(())
    }
}

fn file(path: &Path) -> impl Fn(io::Error) -> RunError + use<'_> {
    move |source| RunError::File { path: path.to_owned(), source }
}
