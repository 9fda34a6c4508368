//! A run: pipeline and settings in, frames out.

mod denoiser;
mod error;
mod frame;
mod levels;
mod run;
mod script;
mod share;
mod start;
mod trajectory;
mod view;

pub use denoiser::Helpers;
pub use error::SessionError;
pub use frame::{Frame, Images, Shown, Timing};
pub use script::{ScriptError, script};

use crate::denoise::Denoiser;
use crate::models::CardError;
use crate::pipeline::{Conditioning, Pipeline};
use crate::settings::{Defaults, Facts, Settings};
use burn::tensor::Tensor;
use denoiser::Conditioned;
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
    denoiser::denoiser(settings, model, &conditioned, Helpers::default(), denoiser::Beside::default())
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
    pub helpers: Helpers<'a>,
}

impl Pipeline {
    /// What the rules of fit must know of this model.
    pub fn facts(&self) -> Facts {
        Facts {
            classes: self.classes(),
            null_class: self.card.null_class,
            text: matches!(self.conditioning, Conditioning::Text(_)),
            latent: self.is_latent(),
        }
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
            bytes = frame?.pixels(self.picture(), self.card.range).0;
        }
        Ok(Images { bytes, shape: self.picture() })
    }
}
