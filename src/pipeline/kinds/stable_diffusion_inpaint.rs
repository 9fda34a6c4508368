//! Stable Diffusion whose network is given what stays of a picture, and where it does not.

use super::Kind;
use crate::interchange::diffusers::Uses;

pub const KIND: Kind = Kind {
    class: "StableDiffusionInpaintPipeline",
    fills_holes: true,
    scheduler: Uses { sets: &[("steps_offset", "1"), ("skip_prk_steps", "true")], without_eta: true, ..Uses::AS_IT_IS },
    guidance: 7.5,
    ..Kind::WORDS
};
