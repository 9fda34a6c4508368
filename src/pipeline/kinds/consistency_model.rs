//! Networks that go to the data in one evaluation (Song et al. 2023, arXiv 2303.01469).

use super::Kind;

pub const KIND: Kind = Kind { class: "ConsistencyModelPipeline", steps: Some(1), ..Kind::PICTURES };
