//! The kinds of pipelines: one file each, and a row in [`KINDS`].

mod consistency_model;
mod ddim;
mod ddpm;
mod dit;
mod flow_matching;
mod karras_ve;
mod latent_consistency;
mod latent_diffusion;
mod pndm;
mod score_sde_ve;
mod stable_diffusion;
mod stable_diffusion_inpaint;
mod stable_diffusion_xl;

use crate::interchange::diffusers::Uses;

/// Every kind that is drawn. Another one is a file beside this one and a row here.
pub const KINDS: &[&Kind] = &[
    &ddpm::KIND,
    &ddim::KIND,
    &pndm::KIND,
    &score_sde_ve::KIND,
    &karras_ve::KIND,
    &consistency_model::KIND,
    &flow_matching::KIND,
    &latent_diffusion::KIND,
    &dit::KIND,
    &stable_diffusion::KIND,
    &stable_diffusion_inpaint::KIND,
    &latent_consistency::KIND,
    &stable_diffusion_xl::KIND,
];

/// A kind of pipeline, by its name in diffusers.
#[derive(Debug, PartialEq)]
pub struct Kind {
    pub class: &'static str,
    /// What diffusers 0.1 called it, where it was there already.
    pub former: Option<&'static str>,
    pub network: Part,
    /// What turns latents into pictures; pipelines of pictures have none.
    pub decoder: Option<Part>,
    /// How many text encoders, each with its tokenizer, tell it what to draw.
    pub encoders: usize,
    /// Whether its network may be given a hole to fill, besides the latents.
    pub fills_holes: bool,
    /// Whether it uses the `latents_mean` and `latents_std` of its autoencoder.
    pub uses_statistics: bool,
    /// What it makes of the scheduler in its folder.
    pub scheduler: Uses,
    /// Guidance where diffusers' pipeline starts.
    pub guidance: f64,
    /// Steps where it starts, for networks that were distilled to take few.
    pub steps: Option<usize>,
}

/// A part of a pipeline.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// Where it may stand in the folder; the first that is there is it.
    pub folders: &'static [&'static str],
    /// Classes of which it may be.
    pub classes: &'static [&'static str],
}

/// By its name of now, and that of diffusers 0.1.
const UNET: Part = Part { folders: &["unet"], classes: &["UNet2DModel", "UNetUnconditionalModel"] };

const VAE: Part = Part { folders: &["vae"], classes: &["AutoencoderKL", "AutoencoderTiny"] };

/// The text encoders of pipelines that have them, and the folders of their tokenizers.
pub const TEXT_ENCODERS: [(Part, &str); 2] = [
    (Part { folders: &["text_encoder"], classes: &["CLIPTextModel", "CLIPTextModelWithProjection"] }, "tokenizer"),
    (Part { folders: &["text_encoder_2"], classes: &["CLIPTextModelWithProjection"] }, "tokenizer_2"),
];

impl Part {
    pub fn is(&self, class: &str) -> bool {
        self.classes.contains(&class)
    }
}

impl Kind {
    /// A kind without a name, from which others differ in little: a network of pictures, with its scheduler as it is.
    const PICTURES: Self = Self {
        class: "",
        former: None,
        network: UNET,
        decoder: None,
        encoders: 0,
        fills_holes: false,
        uses_statistics: false,
        scheduler: Uses::AS_IT_IS,
        guidance: 1.0,
        steps: None,
    };

    /// The same of latents and a text.
    const WORDS: Self = Self {
        network: Part { folders: &["unet"], classes: &["UNet2DConditionModel"] },
        decoder: Some(VAE),
        encoders: 1,
        ..Self::PICTURES
    };

    /// The kind of this class.
    pub fn named(class: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.class == class || kind.former == Some(class)).copied()
    }
}
