//! Recipes of labelled pictures: a denoiser, or a classifier of noisy pictures.

use super::{RecipeError, Tables, Train, refuse};
use crate::dataset::{Data, IdxFiles};
use crate::denoise::Prediction;
use crate::math::ScheduleError;
use crate::train::augment::Augment;
use crate::train::process::{Kind, Process};
use serde::Deserialize;
use toml::{Table, Value};

/// A recipe of labelled pictures.
#[derive(Clone, Debug)]
pub struct Labelled {
    pub data: Data,
    pub network: Network,
    pub schedule: Kind,
    pub augment: Option<Augment>,
}

/// What is trained, and to do what.
#[derive(Clone, Debug)]
pub enum Network {
    /// `[model]`, the arguments of diffusers' `UNet2DModel`, and what it is trained for.
    Denoiser { model: Table, objective: Denoising, page: Box<Page> },
    /// `[classifier]`.
    Classifier { classifier: Table, objective: Classifying },
}

/// `[objective]` of a denoiser.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denoising {
    pub prediction: Prediction,
    /// Share of labels replaced by "no label", for classifier-free guidance.
    pub label_drop: f64,
    /// Hang et al. 2023 (arXiv 2303.09556); without it every image counts the same.
    pub min_snr_gamma: Option<f64>,
    /// Mean and standard deviation of a time's logit.
    pub logit_normal: Option<[f64; 2]>,
    /// The guidance scale of the weights of [`Train::init`] that the network is to answer with, above 1.
    pub guidance: Option<f64>,
    /// The least and the largest `sigma / alpha` that this guidance acts at.
    pub guidance_interval: Option<[f64; 2]>,
}

/// `[objective]` of a classifier.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifying {
    pub prediction: Class,
    /// Share of a batch that is seen at the least noisy level.
    #[serde(default)]
    pub clean_share: f64,
    pub logit_normal: Option<[f64; 2]>,
}

/// What a classifier predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Class,
}

/// `[page]`: what becomes `unnoise.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    pub name: Value,
    pub description: Value,
    pub classes: Vec<Value>,
    pub licence: String,
    pub clip_denoised: bool,
    /// What transparent pictures are laid on.
    pub background: Option<[u8; 3]>,
    pub defaults: Option<Value>,
    pub classifier: Option<Value>,
}

impl Labelled {
    pub(super) fn read(tables: &Tables, train: &Train) -> Result<Self, RecipeError> {
        let classifier = tables.has("classifier");
        tables.only(if classifier {
            &["data", "classifier", "schedule", "objective", "augment", "train"]
        } else {
            &["data", "model", "schedule", "objective", "augment", "train", "page"]
        })?;
        let network = if classifier {
            Network::Classifier { classifier: tables.section("classifier")?, objective: tables.section("objective")? }
        } else {
            Network::Denoiser {
                model: tables.section("model")?,
                objective: tables.section("objective")?,
                page: tables.section("page")?,
            }
        };
        let recipe = Self {
            data: tables.section("data")?,
            network,
            schedule: tables.section("schedule")?,
            augment: tables.has("augment").then(|| tables.section("augment")).transpose()?,
        };
        recipe.check(tables, train)?;
        recipe.process()?;
        Ok(recipe)
    }

    fn check(&self, tables: &Tables, train: &Train) -> Result<(), RecipeError> {
        if let Data::Idx(IdxFiles { test_images, test_labels, .. }) = &self.data
            && test_images.is_some() != test_labels.is_some()
        {
            return refuse("data", "test_images", format!("{test_images:?}"), "given together with test_labels");
        } else if train.workers.is_some() {
            let needed = "left out, as it is for recipes of scenes";
            return refuse("train", "workers", tables.said("train", "workers"), needed);
        }
        let (model, objective, page) = match &self.network {
            Network::Denoiser { model, objective, page } => (model, objective, page),
            Network::Classifier { objective, .. } => {
                let clean = objective.clean_share;
                return match (0.0..=1.0).contains(&clean) {
                    true => Ok(()),
                    false => refuse("objective", "clean_share", clean.to_string(), "a number from 0 to 1"),
                };
            }
        };
        let fits: &[Prediction] = match self.schedule {
            Kind::Flow(_) => &[Prediction::Flow],
            Kind::Ve(_) => &[Prediction::Score],
            _ => &[Prediction::Epsilon, Prediction::Sample, Prediction::Velocity],
        };
        let rows = model.get("num_class_embeds").and_then(Value::as_integer);
        if !fits.contains(&objective.prediction) {
            let fits: Vec<_> = fits.iter().map(|fit| serde_json::json!(fit).to_string()).collect();
            let needed = format!("{} for [schedule] kind = {}", fits.join(" or "), tables.said("schedule", "kind"));
            return refuse("objective", "prediction", tables.said("objective", "prediction"), &needed);
        } else if objective.min_snr_gamma.is_some() && !self.schedule.preserves_variance() {
            let needed = "left out, as it weighs schedules that preserve the variance";
            return refuse("objective", "min_snr_gamma", tables.said("objective", "min_snr_gamma"), needed);
        } else if !(0.0..=1.0).contains(&objective.label_drop) {
            return refuse("objective", "label_drop", objective.label_drop.to_string(), "a number from 0 to 1");
        } else if let Some(scale) = objective.guidance
            && !(scale > 1.0 && scale.is_finite() && train.init.is_some() && self.augment.is_none())
        {
            let needed = "above 1, with [train] init, whose answers it guides, and without [augment]";
            return refuse("objective", "guidance", scale.to_string(), needed);
        } else if let Some(interval @ [low, high]) = objective.guidance_interval
            && !(objective.guidance.is_some() && 0.0 <= low && low < high)
        {
            let needed = "two rising values of sigma / alpha, with guidance, which acts between them";
            return refuse("objective", "guidance_interval", format!("{interval:?}"), needed);
        } else if rows != Some(page.classes.len() as i64 + 1) {
            let needed = format!("{}: the classes that [page] names and one for no label", page.classes.len() + 1);
            return refuse("model", "num_class_embeds", tables.said("model", "num_class_embeds"), &needed);
        }
        Ok(())
    }

    /// The forward process with the distribution of its times.
    ///
    /// # Errors
    /// Betas that make no schedule.
    pub fn process(&self) -> Result<Process, ScheduleError> {
        let logit_normal = match &self.network {
            Network::Denoiser { objective, .. } => objective.logit_normal,
            Network::Classifier { objective, .. } => objective.logit_normal,
        };
        Process::new(&self.schedule, logit_normal)
    }
}
