//! A model's folder, in the layout of diffusers.

use super::WeightsError;
use super::unet2d::{ConfigError, Unet2d};
use crate::denoise::Prediction;
use crate::interchange::scheduler_config;
use crate::math::{Level, NoiseSchedule, Schedule};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// The place of the weights in a model's folder.
#[cfg(not(target_family = "wasm"))]
pub const WEIGHTS: &str = "unet/diffusion_pytorch_model.safetensors";

/// The files of a model's folder that say what it is.
pub struct ModelFiles {
    /// `unet/config.json`.
    pub unet_config: String,
    /// `unet/diffusion_pytorch_model.safetensors`.
    pub weights: Vec<u8>,
    /// `scheduler/scheduler_config.json`.
    pub scheduler_config: String,
    /// `unnoise.json`, which folders from elsewhere do not have.
    pub card: Option<String>,
}

/// A name or a sentence in both languages of the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub en: String,
    pub zh: String,
}

/// `unnoise.json`: what a person, and guidance, need to know about a model besides its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Card {
    pub name: Text,
    pub description: Text,
    /// Names of the classes, in the order of their labels. Empty for a model without classes.
    pub classes: Vec<Text>,
    /// The label that stands for no label. `None` if the model was never trained without one, and so has no guidance.
    pub null_class: Option<usize>,
    pub licence: String,
    /// Darkest and brightest value of a picture.
    pub range: [f64; 2],
    /// Whether estimates of `x_0` are clipped to `range`.
    pub clip_denoised: bool,
    /// The settings that the model starts with, by the keys of a share link.
    pub defaults: BTreeMap<String, Value>,
    /// The folder, beside this one, of a classifier that knows the same classes.
    pub classifier: Option<String>,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            name: Text::default(),
            description: Text::default(),
            classes: Vec::new(),
            null_class: None,
            licence: String::new(),
            range: [-1.0, 1.0],
            clip_denoised: false,
            defaults: BTreeMap::new(),
            classifier: None,
        }
    }
}

/// Why a model's folder cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("The model's schedule cannot be used: {0}.")]
    Schedule(#[from] scheduler_config::ConfigError),
    #[error("unnoise.json is not a model card: {0}.")]
    Card(String),
    #[error(
        "unet/config.json sets out_channels to {outputs} for in_channels {inputs}, but a denoiser gives as many channels as it is given, or twice as many with a learned variance."
    )]
    Channels { inputs: usize, outputs: usize },
    #[cfg(not(target_family = "wasm"))]
    #[error("{} cannot be read ({source}); a model folder has unet/, scheduler/ and optionally unnoise.json.", path.display())]
    File { path: std::path::PathBuf, source: std::io::Error },
}

/// A trained model, ready to run.
pub struct Pretrained {
    pub net: Unet2d,
    /// The process it was trained on.
    pub schedule: Schedule,
    /// What its output means.
    pub prediction: Prediction,
    pub card: Card,
    /// The text that the schedule and the prediction were read from; it also says how diffusers would sample.
    pub scheduler_config: String,
}

impl Pretrained {
    /// Reads a model's files and puts its weights on `device`. Without a card, a model has no name, its classes have
    /// numbers for names, none of them stands for no label, and estimates are clipped if its scheduler clips them.
    ///
    /// # Errors
    /// Any file that is damaged, cannot be built by this version, or does not fit the others.
    pub fn load(files: ModelFiles, device: &Device) -> Result<Self, LoadError> {
        let (schedule, prediction) = Schedule::from_scheduler_config(&files.scheduler_config)?;
        let net = Unet2d::load(&files.unet_config, &files.weights, device)?;
        let config = net.config();
        let (inputs, outputs) = (config.in_channels, config.out_channels);
        if outputs != inputs && outputs != 2 * inputs {
            return Err(LoadError::Channels { inputs, outputs });
        }
        let rows = config.num_class_embeds.unwrap_or(0);
        let card = match files.card {
            Some(json) => Card::from_json(&json, rows)?,
            None => Card::from_scheduler_config(&files.scheduler_config, rows),
        };
        Ok(Self { net, schedule, prediction, card, scheduler_config: files.scheduler_config })
    }

    /// Reads a model's folder.
    ///
    /// # Errors
    /// As [`load`](Self::load), and a file that is missing or cannot be read.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path, device: &Device) -> Result<Self, LoadError> {
        use std::{fs, io};
        let file = |name: &str| {
            let path = dir.join(name);
            move |source: io::Error| LoadError::File { path, source }
        };
        let text = |name: &str| fs::read_to_string(dir.join(name)).map_err(file(name));
        let card = "unnoise.json";
        let files = ModelFiles {
            unet_config: text("unet/config.json")?,
            weights: fs::read(dir.join(WEIGHTS)).map_err(file(WEIGHTS))?,
            scheduler_config: text("scheduler/scheduler_config.json")?,
            card: dir.join(card).exists().then(|| text(card)).transpose()?,
        };
        Self::load(files, device)
    }

    /// What the network outputs for pictures `x` `[batch, channels, height, width]`, each at its own level and, where the
    /// network knows classes, of its own class.
    pub fn output(&self, x: Tensor<4>, levels: &[Level], classes: Option<&[usize]>) -> Tensor<4> {
        let told: Vec<_> = levels.iter().map(|&at| self.schedule.told(at)).collect();
        self.net.forward(x, &told, classes)
    }

    /// Channels, height and width of a picture.
    pub fn shape(&self) -> [usize; 3] {
        let config = self.net.config();
        let [height, width] = config.sample_size;
        [config.in_channels, height, width]
    }

    /// Number of classes, 0 for a model without.
    pub fn classes(&self) -> usize {
        self.card.classes.len()
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.net.num_params()
    }
}

impl Card {
    /// What can be said of a model without a card, whose class embedding has `rows` rows.
    fn from_scheduler_config(json: &str, rows: usize) -> Self {
        let config: Value = serde_json::from_str(&scheduler_config::strict(json)).unwrap_or_default();
        let class = |i| Text { en: format!("class {i}"), zh: format!("类别 {i}") };
        let limit = config["clip_sample_range"].as_f64().filter(|limit| *limit > 0.0).unwrap_or(1.0);
        Self {
            classes: (0..rows).map(class).collect(),
            range: [-limit, limit],
            clip_denoised: config["clip_sample"] == true,
            ..Self::default()
        }
    }

    /// Reads a card for a network whose class embedding has `rows` rows.
    fn from_json(json: &str, rows: usize) -> Result<Self, LoadError> {
        let card: Self = serde_json::from_str(json).map_err(|e| LoadError::Card(e.to_string()))?;
        let labels = card.classes.len().max(card.null_class.map_or(0, |null| null + 1));
        let [dark, bright] = card.range;
        if labels > rows {
            Err(LoadError::Card(format!("classes and null_class use {labels} labels, but the network knows {rows}")))
        } else if !(dark.is_finite() && bright.is_finite() && dark < bright) {
            Err(LoadError::Card(format!("range {:?} does not run from a dark value to a bright one", card.range)))
        } else {
            Ok(card)
        }
    }
}
