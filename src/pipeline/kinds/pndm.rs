//! The same networks, drawn by PNDM whatever scheduler is in the folder (Liu et al. 2022, arXiv 2202.09778).

use super::Kind;
use crate::interchange::diffusers::Uses;

pub const KIND: Kind = Kind {
    class: "PNDMPipeline",
    scheduler: Uses { class: Some("PNDMScheduler"), ..Uses::AS_IT_IS },
    ..Kind::PICTURES
};
