//! Latent diffusion without a condition (Rombach et al. 2022, arXiv 2112.10752).

use super::{Kind, Part};
use crate::interchange::diffusers::Uses;

pub const KIND: Kind = Kind {
    class: "LDMPipeline",
    decoder: Some(Part { folders: &["vqvae", "vae"], classes: &["VQModel", "AutoencoderKL", "AutoencoderTiny"] }),
    scheduler: Uses { without_eta: true, ..Uses::AS_IT_IS },
    ..Kind::PICTURES
};
