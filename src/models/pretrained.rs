//! A model's folder, in the layouts of diffusers.

use super::folder::{FolderError, Place};
use super::unet2d::{ConfigError, Unet2d};
use super::{Card, WeightsError, legacy};
use crate::denoise::{Clip, Prediction};
use crate::interchange::{diffusers, scheduler_config};
use crate::math::{Level, NoiseSchedule, Schedule};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
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
    /// `model_index.json`; `None` if the network was saved without a pipeline.
    pub index: Option<String>,
    /// `unnoise.json`, which folders from elsewhere do not have.
    pub card: Option<String>,
    pub place: Place,
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
            index: text(&layout.index)?,
            card: text(&layout.card)?,
            place: layout.place(),
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
    /// Whether the folder has one; otherwise it is drawn as its scheduler says.
    pub has_card: bool,
    /// What its folder says that estimates of `x_0` are brought into: its card or, where it has none, its scheduler.
    pub clip: Option<Clip>,
    /// The text that the schedule and the prediction were read from; it also says how diffusers would sample.
    pub scheduler_config: String,
    /// Where its network lies in its folder.
    pub place: Place,
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

const UNFOLLOWED_NOTE: &str =
    "The folder's scheduler is not followed here, and the model starts with settings of every model";

impl Pretrained {
    /// Reads a model's files and puts its weights on `device`.
    ///
    /// # Errors
    /// Any file that is damaged, cannot be built by this version, or does not fit the others.
    pub fn load(files: ModelFiles, device: &Device) -> Result<Self, LoadError> {
        let said = files.scheduler_config.as_deref();
        let mut notes = if said.is_none() { vec![UNSAID_NOTE.to_owned()] } else { Vec::new() };
        let scheduler_config = legacy::scheduler_config(said.unwrap_or(UNSAID_SCHEDULER));
        let scheduler_config = match &files.index {
            Some(index) => diffusers::used_by(index, &scheduler_config),
            None => scheduler_config,
        };
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
        let has_card = card.is_some();
        let clip = match diffusers::describe(&scheduler_config) {
            Ok(described) => {
                let note = |key| format!("The scheduler's `{key}` is not known here, and what it changes is left out.");
                notes.extend(described.unknown.iter().map(note));
                described.mapped.bound.map(|bound| bound.clip)
            }
            Err(_) => said_clip(&scheduler_config),
        };
        let (card, clip) = match card {
            Some(card) => {
                let [low, high] = card.range;
                let thresholding = clip.filter(|clip| matches!(clip, Clip::Dynamic { .. }));
                let clip = card.clip_denoised.then(|| thresholding.unwrap_or(Clip::Range { low, high }));
                (card, clip)
            }
            None => {
                let defaults = diffusers::preset(&scheduler_config).unwrap_or_else(|why| {
                    notes.push(format!("{UNFOLLOWED_NOTE}: {why}."));
                    BTreeMap::new()
                });
                // Its pipeline alone shows values of 0 to 1.
                let range = if matches!(schedule, Schedule::Ve(_)) { [0.0, 1.0] } else { [-1.0, 1.0] };
                (Card { clip_denoised: clip.is_some(), defaults, range, ..Card::unsaid(rows) }, clip)
            }
        };
        let device = device.clone();
        Ok(Self {
            net,
            schedule,
            prediction,
            card,
            has_card,
            clip,
            scheduler_config,
            place: files.place,
            bytes,
            notes,
            device,
        })
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
        let times: Vec<_> = levels.iter().map(|&at| self.schedule.conditioning_time(at)).collect();
        self.net.forward(x, &times, classes)
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

/// What a scheduler that is not followed here says of clipping (`clip_sample` and `clip_sample_range`).
fn said_clip(json: &str) -> Option<Clip> {
    let config: Value = serde_json::from_str(&scheduler_config::strict(json)).unwrap_or_default();
    let most = config["clip_sample_range"].as_f64().filter(|most| *most > 0.0).unwrap_or(1.0);
    (config["clip_sample"] == true).then_some(Clip::Range { low: -most, high: most })
}
