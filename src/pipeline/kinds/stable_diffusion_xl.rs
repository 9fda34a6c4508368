//! Stable Diffusion with two text encoders, told the size of the picture (Podell et al. 2023, arXiv 2307.01952).

use super::Kind;
use crate::interchange::diffusers::Uses;

pub const KIND: Kind = Kind {
    class: "StableDiffusionXLPipeline",
    encoders: 2,
    uses_statistics: true,
    scheduler: Uses { without_eta: true, ..Uses::AS_IT_IS },
    guidance: 5.0,
    ..Kind::WORDS
};
