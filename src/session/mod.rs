//! A run: pipeline and settings in, frames out.

mod attention;
mod denoiser;
mod detail;
mod error;
mod forward;
mod frame;
mod legs;
mod levels;
mod pending;
mod run;
mod script;
mod share;
mod start;
mod trajectory;
mod view;

pub use denoiser::Helpers;
pub use detail::{Detail, StepNumbers};
pub use error::SessionError;
pub use forward::{Noised, NoisedPictures};
pub use frame::{Attention, Frame, Images, Phase, Shown, Timing};
pub use script::{Files, ScriptError, script};

use crate::backend::Present;
use crate::denoise::Denoiser;
use crate::models::CardError;
use crate::pipeline::text::Prompt;
use crate::pipeline::{Conditioning, Pipeline};
use crate::settings::{Defaults, Facts, Settings, Weighting};
use burn::tensor::Tensor;
use denoiser::{Conditioned, Surroundings};
use futures_util::StreamExt;
use std::pin::pin;

/// The denoiser that a run of these settings samples with.
///
/// # Errors
/// A class or guidance that the model does not have.
pub fn network<'a>(
    model: &'a Pipeline,
    settings: &Settings,
) -> Result<Box<dyn Denoiser<Tensor<4>> + 'a>, SessionError> {
    let conditioned = Conditioned::new(settings, model, &Given::default())?;
    denoiser::denoiser(settings, model, &conditioned, Surroundings::default())
}

impl Settings {
    /// A text of these settings as their weighting reads it.
    pub fn prompt_of(&self, text: &str) -> Prompt {
        match self.weighting {
            Weighting::None => Prompt::plain(text),
            Weighting::A1111 => Prompt::weighted(text),
        }
    }
}

/// What a run is given besides its settings.
#[derive(Clone, Default)]
pub struct Given<'a> {
    /// A picture to start from, `[channels, height, width]`, in place of the one of the settings.
    pub picture: Option<Vec<f32>>,
    /// 1 where the picture is to stay and 0 where it is to be made anew, `[height, width]`.
    pub kept: Option<Vec<f32>>,
    /// The class of each picture, where the one word of the settings does not do.
    pub classes: Option<Vec<usize>>,
    /// The place of the first picture among those of the run, of which these are some.
    pub first: usize,
    /// Whether frames say where the network looked in the prompt. It changes no picture, and costs nothing where it is not
    /// asked for.
    pub attention: bool,
    /// Shows the steps on their device. Only the first and the last are read back then; the frames between have no pictures.
    pub present: Option<&'a dyn Present>,
    /// Hears what begins, besides the steps that frames tell of.
    pub watch: Option<&'a dyn Fn(Phase)>,
    pub helpers: Helpers<'a>,
}

impl Given<'_> {
    fn begins(&self, phase: Phase) {
        if let Some(watch) = self.watch {
            watch(phase);
        }
    }
}

impl Pipeline {
    /// What the rules of fit must know of this model.
    pub fn facts(&self) -> Facts {
        Facts {
            classes: self.classes(),
            null_class: self.card.null_class,
            text: matches!(self.conditioning, Conditioning::Text(_)),
            latent: self.is_latent(),
            sizes: self.sizes(),
        }
    }

    /// Channels, height and width of what the network draws under these settings.
    pub fn shape_of(&self, settings: &Settings) -> [usize; 3] {
        let (own @ [channels, ..], factor) = (self.shape(), self.latents.factor());
        settings.size.map_or(own, |[height, width]| [channels, height / factor, width / factor])
    }

    /// Channels, height and width of a picture under these settings.
    pub fn picture_of(&self, settings: &Settings) -> [usize; 3] {
        let own @ [channels, ..] = self.picture();
        settings.size.map_or(own, |[height, width]| [channels, height, width])
    }

    /// The settings that the model starts with: its card's, made to fit it.
    ///
    /// # Errors
    /// Its card names a setting or a value that there is not.
    pub fn preset(&self) -> Result<Settings, CardError> {
        let defaults = serde_json::to_value(&self.card.defaults).and_then(serde_json::from_value::<Defaults>);
        let defaults = defaults.map_err(|e| CardError(format!("in defaults, {e}")))?;
        let preset = Settings::preset(&defaults);
        let mut preset = preset.map_err(|problem| CardError(format!("in defaults, {problem}")))?;
        // A default that stands for every model is no mistake of this one.
        preset.fit_classes(self.facts());
        Ok(preset)
    }

    /// The pictures of these settings.
    ///
    /// # Errors
    /// As [`frames`](Self::frames).
    pub async fn sample(&self, settings: &Settings) -> Result<Images, SessionError> {
        let mut frames = pin!(self.frames(settings, Given::default()));
        let mut bytes = Vec::new();
        while let Some(frame) = frames.next().await {
            bytes = frame?.pixels(self.picture_of(settings), self.card.range).0;
        }
        Ok(Images { bytes, shape: self.picture_of(settings) })
    }
}
