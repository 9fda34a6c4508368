//! Score networks of a variance-exploding process (Song et al. 2021, arXiv 2011.13456).

use super::Kind;

pub const KIND: Kind = Kind { class: "ScoreSdeVePipeline", ..Kind::PICTURES };
