//! To denoise the latents of a scene whose caption is told.

use super::{Measured, Scenery, Task};
use crate::backend::BackendError;
use crate::denoise::Prediction;
use crate::math::Level;
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::models::clip_text::ClipText;
use crate::models::unet2d_condition::{Condition, Unet2dCondition};
use crate::pipeline::text::Tokenizer;
use crate::train::objective::{diffuse, squared_error};
use crate::train::process::Process;
use crate::train::trainer::Loss;
use burn::module::Module;
use burn::tensor::Tensor;

/// The denoiser, and the text encoder that is trained with it.
#[derive(Module, Debug)]
pub struct TextDenoiser {
    pub text_encoder: ClipText,
    pub unet: Unet2dCondition,
}

/// A denoiser that predicts `v` of the latents of a frozen autoencoder (Rombach et al. 2022, arXiv 2112.10752).
pub struct Captioned {
    pub scenery: Scenery,
    /// Off the autodiff device, as nothing is learned through it.
    pub autoencoder: AutoencoderKl,
    pub tokenizer: Tokenizer,
    pub process: Process,
    /// Share of captions that are left empty.
    pub caption_drop: f64,
}

/// Latents with their noise, levels and captions.
pub struct Told {
    pub x0: Tensor<4>,
    pub eps: Tensor<4>,
    pub levels: Vec<Level>,
    pub ids: Vec<Vec<u32>>,
}

impl Task for Captioned {
    type Net = TextDenoiser;
    type Kept = TextDenoiser;
    type Batch = Told;

    fn batch(&mut self, step: usize) -> Told {
        let (scenery, vae) = (&self.scenery, &self.autoencoder);
        let scenes = scenery.scenes(step);
        let x0 = vae.scaled(vae.encode(scenery.pictures(&scenes)).mean);
        let mut drops = scenery.draws(step);
        let told = |caption: &str| self.tokenizer.encode_padded(caption).ids;
        let ids = scenes.iter().map(|scene| match drops.random() < self.caption_drop {
            true => told(""),
            false => told(&scene.caption),
        });
        let ids = ids.collect();
        // One uniform draw, then equal distances (Kingma et al. 2021, arXiv 2107.00630, appendix I.1).
        let mut draws = scenery.draws(step);
        let (u, size) = (draws.random(), scenery.size);
        let levels = (0..size).map(|k| self.process.level((u + k as f64 / size as f64).fract())).collect();
        let eps = scenery.noise(&mut draws, x0.dims());
        Told { x0, eps, levels, ids }
    }

    fn loss(&self, net: &TextDenoiser, Told { x0, eps, levels, ids }: &Told) -> Loss {
        let text = net.text_encoder.forward(ids).last;
        let t: Vec<f64> = levels.iter().map(|level| level.t).collect();
        let condition = Condition { text, class: None, added: None, guidance: None };
        let output = net.unet.forward(diffuse(x0, eps, levels), &t, &condition);
        let error = squared_error(output, x0, eps, levels, Prediction::Velocity).mean();
        Loss { descended: error.clone(), reported: error }
    }

    fn measure(&self, _: &TextDenoiser, _: Option<usize>) -> Result<Option<Measured>, BackendError> {
        Ok(None)
    }

    fn kept(net: &TextDenoiser) -> &TextDenoiser {
        net
    }
}
