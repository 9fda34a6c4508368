//! Recipes: everything that decides what a network becomes, in TOML, read by this trainer and by `training/` in Python.

mod judging;
mod pictures;
mod scenes;

pub use judging::Judging;
pub use pictures::{Labelled, Network, Page};
pub use scenes::{Autoencoder, Captioned, Distillation, Page as TextPage, Reconstruction, TokenizerSection};

use super::trainer::Options;
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
    #[error("unknown section [{section}]; such a recipe has {known}")]
    UnknownSection { section: String, known: String },
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
    pub kind: Kind,
    pub train: Train,
    tables: Tables,
}

/// What is trained.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A denoiser or a classifier of labelled pictures.
    Labelled(Box<Labelled>),
    /// An autoencoder of scenes.
    Autoencoder(Box<Autoencoder>),
    /// A text-conditioned denoiser of latents.
    Captioned(Box<Captioned>),
    /// Encoders of pictures and captions.
    Judging(Box<Judging>),
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
    /// Processes that make scenes ahead of the network in `training/`, which change nothing that it sees; here scenes are made in the
    /// step that sees them.
    pub workers: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    No,
    Bf16,
}

impl Recipe {
    /// Reads the text of a recipe.
    ///
    /// # Errors
    /// Text that is no TOML; a section or key that is missing or unknown; values that do not go together.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        let tables = Tables(toml::from_str(text).map_err(|e| RecipeError::Toml(e.message().to_owned()))?);
        let read = |train: &Train| -> Result<Kind, RecipeError> {
            Ok(if tables.has("autoencoder") {
                Kind::Autoencoder(Box::new(Autoencoder::read(&tables, train)?))
            } else if tables.has("judge") {
                Kind::Judging(Box::new(Judging::read(&tables, train)?))
            } else if tables.has("unet") {
                Kind::Captioned(Box::new(Captioned::read(&tables, train)?))
            } else {
                Kind::Labelled(Box::new(Labelled::read(&tables, train)?))
            })
        };
        let train: Train = tables.section("train")?;
        train.check()?;
        Ok(Self { kind: read(&train)?, train, tables })
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

    /// Names of the keys that make `self` another run than `other`; the page's words do not count.
    pub fn what_changed(&self, other: &Self) -> Vec<String> {
        let (own, others) = (&self.tables, &other.tables);
        let mut out = Vec::new();
        for (section, keys) in own.0.iter().chain(&others.0).filter(|(section, _)| *section != "page") {
            for key in keys.as_table().into_iter().flat_map(Table::keys) {
                let name = format!("[{section}] {key}");
                let changed = own.said(section, key) != others.said(section, key);
                if changed && key != "checkpoint_minutes" && !out.contains(&name) {
                    out.push(name);
                }
            }
        }
        out
    }
}

impl Train {
    fn check(&self) -> Result<(), RecipeError> {
        let Self { images, batch, lr, betas, clip, ema_decays, .. } = self;
        let share = |v: &f64| (0.0..1.0).contains(v);
        if !(1..=65_536).contains(batch) {
            refuse("train", "batch", batch.to_string(), "a number from 1 to 65536")
        } else if images < batch {
            refuse("train", "images", images.to_string(), "at least one batch")
        } else if !(*lr > 0.0 && lr.is_finite()) {
            refuse("train", "lr", lr.to_string(), "above 0")
        } else if !betas.iter().all(share) {
            refuse("train", "betas", format!("{betas:?}"), "two numbers from 0 to below 1")
        } else if *clip <= 0.0 || clip.is_nan() {
            refuse("train", "clip", clip.to_string(), "above 0")
        } else if ema_decays.is_empty() || !ema_decays.iter().all(share) {
            refuse("train", "ema_decays", format!("{ema_decays:?}"), "at least one number from 0 to below 1")
        } else {
            Ok(())
        }
    }
}

/// The sections of a recipe.
#[derive(Clone, Debug)]
struct Tables(Table);

impl Tables {
    fn has(&self, section: &str) -> bool {
        self.0.contains_key(section)
    }

    fn has_key(&self, section: &str, key: &str) -> bool {
        self.0.get(section).is_some_and(|keys| keys.get(key).is_some())
    }

    /// Refuses sections that are not `known`.
    fn only(&self, known: &[&str]) -> Result<(), RecipeError> {
        match self.0.keys().find(|section| !known.contains(&section.as_str())) {
            Some(section) => Err(RecipeError::UnknownSection { section: section.clone(), known: known.join(", ") }),
            None => Ok(()),
        }
    }

    fn section<T: DeserializeOwned>(&self, section: &'static str) -> Result<T, RecipeError> {
        let value = self.0.get(section).ok_or(RecipeError::MissingSection(section))?.clone();
        value.try_into().map_err(|e: toml::de::Error| RecipeError::Section { section, why: e.message().to_owned() })
    }

    /// A key's value as the recipe has it.
    fn said(&self, section: &str, key: &str) -> String {
        self.0.get(section).and_then(|keys| keys.get(key)).map_or("nothing".to_owned(), Value::to_string)
    }
}

fn refuse<T>(section: &'static str, key: &'static str, got: String, needed: &str) -> Result<T, RecipeError> {
    Err(RecipeError::Value { section, key, got, needed: needed.to_owned() })
}

/// A section as the `config.json` of a class of diffusers.
pub fn config(section: &Table, class: &str) -> serde_json::Value {
    let mut config = serde_json::json!(section);
    config["_class_name"] = serde_json::Value::from(class);
    config
}
