//! Stable Diffusion distilled to a few steps, with guidance that was learned (Luo et al. 2023, arXiv 2310.04378).

use super::Kind;

pub const KIND: Kind = Kind { class: "LatentConsistencyModelPipeline", guidance: 8.5, steps: Some(4), ..Kind::WORDS };
