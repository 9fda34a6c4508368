//! What `unnoise train` writes for a flow, for which diffusers has no pipeline without a text.

use super::Kind;

pub const KIND: Kind = Kind { class: "FlowMatchingPipeline", ..Kind::PICTURES };
