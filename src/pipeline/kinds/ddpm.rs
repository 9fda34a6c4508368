//! Denoising diffusion (Ho et al. 2020, arXiv 2006.11239).

use super::Kind;

pub const KIND: Kind = Kind { class: "DDPMPipeline", former: Some("DDPM"), ..Kind::PICTURES };
