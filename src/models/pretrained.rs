//! A model's folder, in the layouts of diffusers.

use super::folder::FolderError;
use super::unet2d::{ConfigError, Unet2d};
use super::{Card, WeightsError, legacy};
use crate::denoise::{Clip, Prediction};
use crate::interchange::scheduler_config;
use crate::math::{Level, NoiseSchedule, Schedule};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde_json::Value;
use std::path::PathBuf;
use thiserror::Error;

/// The files of a model's folder that say what it is.
pub struct ModelFiles {
    /// `unet/config.json`, or `config.json` where the network lies at the folder's root.
    pub unet_config: String,
    /// The safetensors file of the weights, or all its shards.
    pub weights: Vec<Vec<u8>>,
    /// `scheduler/scheduler_config.json`; `None` if the network was saved without a scheduler.
    pub scheduler_config: Option<String>,
    /// `unnoise.json`, which folders from elsewhere do not have.
    pub card: Option<String>,
}

#[cfg(not(target_family = "wasm"))]
impl ModelFiles {
    /// Reads the files of a folder.
    ///
    /// # Errors
    /// As [`Layout::of`](super::folder::Layout::of), and a file that cannot be read.
    pub fn from_dir(dir: &std::path::Path) -> Result<Self, FolderError> {
        use super::folder::{Directory, Layout};
        let folder = Directory(dir);
        let paths = folder.list()?;
        let layout = Layout::of(&paths)?;
        let text = |path: &Option<String>| path.as_ref().map(|path| folder.text(path)).transpose();
        Ok(Self {
            unet_config: folder.text(&layout.config)?,
            weights: folder.weights(&layout.weights, &paths)?,
            scheduler_config: text(&layout.scheduler)?,
            card: text(&layout.card)?,
        })
    }
}

/// Why a model's folder cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("In {}: {source}", .path.display())]
    Folder { path: PathBuf, source: FolderError },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("The model's schedule cannot be used: {0}.")]
    Schedule(#[from] scheduler_config::ConfigError),
    #[error("unnoise.json is not a model card: {0}.")]
    Card(String),
    #[error(
        "The network's config.json sets out_channels to {outputs} for in_channels {inputs}, but a denoiser gives as many channels as it is given, or twice as many with a learned variance."
    )]
    Channels { inputs: usize, outputs: usize },
}

/// A trained model, ready to run.
pub struct Pretrained {
    pub net: Unet2d,
    /// The process it was trained on.
    pub schedule: Schedule,
    /// What its output means.
    pub prediction: Prediction,
    pub card: Card,
    /// Least and largest estimate of `x_0` where estimates are clipped: the card's range or, in a folder without a card,
    /// what its scheduler clips to, which is not what is shown.
    pub clip_range: [f64; 2],
    /// The text that the schedule and the prediction were read from; it also says how diffusers would sample.
    pub scheduler_config: String,
    /// Bytes of the files of its weights.
    pub bytes: usize,
    /// What was assumed where the folder says nothing, a sentence each.
    pub notes: Vec<String>,
    /// Where its weights are.
    pub device: Device,
}

/// What diffusers' `DDPMScheduler()` is, the scheduler that its unconditional training starts with.
const UNSAID_SCHEDULER: &str = r#"{"_class_name": "DDPMScheduler", "num_train_timesteps": 1000, "beta_start": 0.0001,
    "beta_end": 0.02, "beta_schedule": "linear", "variance_type": "fixed_small", "clip_sample": true,
    "prediction_type": "epsilon"}"#;

const UNSAID_NOTE: &str = "The folder has no scheduler_config.json, so the model is taken to be trained as diffusers' DDPMScheduler() says: \
    1000 timesteps of linear betas from 0.0001 to 0.02, predicting the noise.";

impl Pretrained {
    /// Reads a model's files and puts its weights on `device`.
    ///
    /// # Errors
    /// Any file that is damaged, cannot be built by this version, or does not fit the others.
    pub fn load(files: ModelFiles, device: &Device) -> Result<Self, LoadError> {
        let said = files.scheduler_config.as_deref();
        let notes = if said.is_none() { vec![UNSAID_NOTE.to_owned()] } else { Vec::new() };
        let scheduler_config = legacy::scheduler_config(said.unwrap_or(UNSAID_SCHEDULER));
        let (schedule, prediction) = Schedule::from_scheduler_config(&scheduler_config)?;
        let net = Unet2d::from_parts(&files.unet_config, &files.weights, device)?;
        let config = net.config();
        let (inputs, outputs) = (config.in_channels, config.out_channels);
        if outputs != inputs && outputs != 2 * inputs {
            return Err(LoadError::Channels { inputs, outputs });
        }
        let rows = config.num_class_embeds.unwrap_or(0);
        let bytes = files.weights.iter().map(Vec::len).sum();
        let card = files.card.map(|json| Card::from_json(&json, rows)).transpose()?;
        let (card, clip_range) = match card {
            Some(card) => (card.clone(), card.range),
            None => {
                let (clip_denoised, most) = scheduler_clip(&scheduler_config);
                (Card { clip_denoised, ..Card::unsaid(rows) }, [-most, most])
            }
        };
        Ok(Self { net, schedule, prediction, card, clip_range, scheduler_config, bytes, notes, device: device.clone() })
    }

    /// Reads a model's folder: what a pipeline of diffusers saved, or a `UNet2DModel` alone.
    ///
    /// # Errors
    /// As [`load`](Self::load), and a file that is missing or cannot be read.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path, device: &Device) -> Result<Self, LoadError> {
        let files = ModelFiles::from_dir(dir).map_err(|source| LoadError::Folder { path: dir.to_owned(), source })?;
        Self::load(files, device)
    }

    /// What the network outputs for pictures `x` `[batch, channels, height, width]`, each at its own level and, where the
    /// network knows classes, of its own class.
    pub fn output(&self, x: Tensor<4>, levels: &[Level], classes: Option<&[usize]>) -> Tensor<4> {
        let times: Vec<_> = levels.iter().map(|&at| self.schedule.told(at)).collect();
        self.net.forward(x, &times, classes)
    }

    /// How its folder says that estimates of `x_0` are clipped.
    pub fn clip(&self) -> Option<Clip> {
        let [low, high] = self.clip_range;
        self.card.clip_denoised.then_some(Clip::Range { low, high })
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

/// Schedulers of diffusers that clip where their configuration does not say.
const CLIPPING: [&str; 4] = ["DDPMScheduler", "DDIMScheduler", "DDPMParallelScheduler", "DDIMParallelScheduler"];

/// Whether a scheduler clips estimates (`clip_sample`), and to how far on either side of 0 (`clip_sample_range`).
fn scheduler_clip(json: &str) -> (bool, f64) {
    let config: Value = serde_json::from_str(&scheduler_config::strict(json)).unwrap_or_default();
    let most = config["clip_sample_range"].as_f64().filter(|most| *most > 0.0).unwrap_or(1.0);
    let by_class = || CLIPPING.iter().any(|class| config["_class_name"] == *class);
    (config["clip_sample"].as_bool().unwrap_or_else(by_class), most)
}
