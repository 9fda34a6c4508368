//! Diffusion transformers on latents, told a class (Peebles & Xie 2023, arXiv 2212.09748).

use super::{Kind, Part, VAE};

pub const KIND: Kind = Kind {
    class: "DiTPipeline",
    // Before DiT had a class of its own, diffusers built it from the general one.
    network: Part { folders: &["transformer"], classes: &["DiTTransformer2DModel", "Transformer2DModel"] },
    decoder: Some(VAE),
    guidance: 4.0,
    ..Kind::PICTURES
};
