//! Recipes: everything that decides what a network becomes, in TOML, read by this trainer and by `training/` in Python.

use super::augment::Augment;
use super::process::{Kind, Process};
use super::trainer::Options;
use crate::dataset::{Data, IdxFiles};
use crate::denoise::Prediction;
use crate::math::ScheduleError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::{Table, Value};

/// Why a recipe cannot be followed.
#[derive(Debug, Error)]
pub enum RecipeError {
    #[error("it is not TOML: {0}")]
    Toml(String),
    #[error(
        "unknown section [{0}]; a recipe has data, model or classifier, schedule, objective, augment, train and page"
    )]
    UnknownSection(String),
    #[error("the section [{0}] is missing")]
    MissingSection(&'static str),
    #[error("[{section}]: {why}")]
    Section { section: &'static str, why: String },
    #[error("[{section}] {key} = {got}, but it must be {needed}")]
    Value { section: &'static str, key: &'static str, got: String, needed: String },
    #[error("[schedule]: {0}")]
    Schedule(#[from] ScheduleError),
}

/// A recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub data: Data,
    pub network: Network,
    pub schedule: Kind,
    pub augment: Option<Augment>,
    pub train: Train,
    table: Table,
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

/// `[train]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    pub seed: u64,
    /// Training images in all, repeats counted.
    pub images: usize,
    pub batch: usize,
    /// The peak, reached after the warm-up.
    pub lr: f64,
    pub warmup_images: usize,
    pub betas: [f64; 2],
    pub weight_decay: f64,
    pub clip: f64,
    /// The average with the least held-out loss is what becomes of the run; without held-out data, the first.
    pub ema_decays: Vec<f64>,
    pub precision: Precision,
    /// Minutes between checkpoints.
    pub checkpoint_minutes: f64,
    /// A model beside the one that is made, whose weights training starts from.
    pub init: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    No,
    Bf16,
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

impl Recipe {
    /// Reads the text of a recipe.
    ///
    /// # Errors
    /// Text that is no TOML; a section or key that is missing or unknown; values that do not go together.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        let table: Table = toml::from_str(text).map_err(|e| RecipeError::Toml(e.message().to_owned()))?;
        let known = ["data", "model", "classifier", "schedule", "objective", "augment", "train", "page"];
        if let Some(section) = table.keys().find(|section| !known.contains(&section.as_str())) {
            return Err(RecipeError::UnknownSection(section.clone()));
        }
        let network = if table.contains_key("classifier") {
            Network::Classifier { classifier: section(&table, "classifier")?, objective: section(&table, "objective")? }
        } else {
            Network::Denoiser {
                model: section(&table, "model")?,
                objective: section(&table, "objective")?,
                page: section(&table, "page")?,
            }
        };
        let recipe = Self {
            data: section(&table, "data")?,
            network,
            schedule: section(&table, "schedule")?,
            augment: table.contains_key("augment").then(|| section(&table, "augment")).transpose()?,
            train: section(&table, "train")?,
            table,
        };
        recipe.check()?;
        recipe.process()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<(), RecipeError> {
        let refuse = |section, key, got: String, needed: &str| {
            Err(RecipeError::Value { section, key, got, needed: needed.to_owned() })
        };
        let Train { images, batch, lr, betas, clip, ema_decays, .. } = &self.train;
        let share = |v: &f64| (0.0..1.0).contains(v);
        if !(1..=65_536).contains(batch) {
            return refuse("train", "batch", batch.to_string(), "a number from 1 to 65536");
        } else if images < batch {
            return refuse("train", "images", images.to_string(), "at least one batch");
        } else if !(*lr > 0.0 && lr.is_finite()) {
            return refuse("train", "lr", lr.to_string(), "above 0");
        } else if !betas.iter().all(share) {
            return refuse("train", "betas", format!("{betas:?}"), "two numbers from 0 to below 1");
        } else if *clip <= 0.0 || clip.is_nan() {
            return refuse("train", "clip", clip.to_string(), "above 0");
        } else if ema_decays.is_empty() || !ema_decays.iter().all(share) {
            return refuse("train", "ema_decays", format!("{ema_decays:?}"), "at least one number from 0 to below 1");
        }
        if let Data::Idx(IdxFiles { test_images, test_labels, .. }) = &self.data
            && test_images.is_some() != test_labels.is_some()
        {
            return refuse("data", "test_images", format!("{test_images:?}"), "given together with test_labels");
        }
        if let Network::Classifier { objective, .. } = &self.network {
            let clean = objective.clean_share;
            return match (0.0..=1.0).contains(&clean) {
                true => Ok(()),
                false => refuse("objective", "clean_share", clean.to_string(), "a number from 0 to 1"),
            };
        }
        let Network::Denoiser { model, objective, page } = &self.network else { return Ok(()) };
        let fits: &[Prediction] = match self.schedule {
            Kind::Flow(_) => &[Prediction::Flow],
            Kind::Ve(_) => &[Prediction::Score],
            _ => &[Prediction::Epsilon, Prediction::Sample, Prediction::Velocity],
        };
        let rows = model.get("num_class_embeds").and_then(Value::as_integer);
        if !fits.contains(&objective.prediction) {
            let fits: Vec<_> = fits.iter().map(|fit| serde_json::json!(fit).to_string()).collect();
            let needed = format!("{} for [schedule] kind = {}", fits.join(" or "), self.said("schedule", "kind"));
            return refuse("objective", "prediction", self.said("objective", "prediction"), &needed);
        } else if objective.min_snr_gamma.is_some() && !self.schedule.preserves_variance() {
            let needed = "left out, as it weighs schedules that preserve the variance";
            return refuse("objective", "min_snr_gamma", self.said("objective", "min_snr_gamma"), needed);
        } else if !(0.0..=1.0).contains(&objective.label_drop) {
            return refuse("objective", "label_drop", objective.label_drop.to_string(), "a number from 0 to 1");
        } else if let Some(scale) = objective.guidance
            && !(scale > 1.0 && scale.is_finite() && self.train.init.is_some() && self.augment.is_none())
        {
            let needed = "above 1, with [train] init, whose answers it guides, and without [augment]";
            return refuse("objective", "guidance", scale.to_string(), needed);
        } else if rows != Some(page.classes.len() as i64 + 1) {
            let needed = format!("{}: the classes that [page] names and one for no label", page.classes.len() + 1);
            return refuse("model", "num_class_embeds", self.said("model", "num_class_embeds"), &needed);
        }
        Ok(())
    }

    /// A key's value as the recipe has it.
    fn said(&self, section: &str, key: &str) -> String {
        self.table.get(section).and_then(|keys| keys.get(key)).map_or("nothing".to_owned(), Value::to_string)
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        self.train.images / self.train.batch
    }

    /// Steps until the learning rate is at its peak.
    pub fn warmup(&self) -> usize {
        (self.train.warmup_images / self.train.batch).max(1)
    }

    pub fn options(&self) -> Options {
        let Train { betas, weight_decay, clip, ema_decays, .. } = self.train.clone();
        Options { betas, weight_decay, clip, ema_decays }
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

    /// Names of the keys that make `self` another run than `other`; the page's words do not count.
    pub fn what_changed(&self, other: &Self) -> Vec<String> {
        let mut out = Vec::new();
        for (section, keys) in self.table.iter().chain(&other.table).filter(|(section, _)| *section != "page") {
            for key in keys.as_table().into_iter().flat_map(Table::keys) {
                let name = format!("[{section}] {key}");
                let changed = self.said(section, key) != other.said(section, key);
                if changed && key != "checkpoint_minutes" && !out.contains(&name) {
                    out.push(name);
                }
            }
        }
        out
    }
}

fn section<T: DeserializeOwned>(table: &Table, section: &'static str) -> Result<T, RecipeError> {
    let value = table.get(section).ok_or(RecipeError::MissingSection(section))?.clone();
    value.try_into().map_err(|e: toml::de::Error| RecipeError::Section { section, why: e.message().to_owned() })
}
