//! Score networks of a variance-exploding process, by Heun's method with churn (Karras et al. 2022, arXiv 2206.00364).

use super::Kind;

pub const KIND: Kind = Kind { class: "KarrasVePipeline", ..Kind::PICTURES };
