//! Stable Diffusion 1 and 2, and networks that were distilled from them (Rombach et al. 2022, arXiv 2112.10752).

use super::Kind;
use crate::interchange::diffusers::Uses;

pub const KIND: Kind = Kind {
    class: "StableDiffusionPipeline",
    scheduler: Uses { sets: &[("steps_offset", "1"), ("clip_sample", "false")], without_eta: true, ..Uses::AS_IT_IS },
    guidance: 7.5,
    ..Kind::WORDS
};
