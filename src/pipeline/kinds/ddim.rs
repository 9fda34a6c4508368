//! The same networks, drawn by DDIM whatever scheduler is in the folder (Song et al. 2021, arXiv 2010.02502).

use super::Kind;
use crate::interchange::diffusers::Uses;

pub const KIND: Kind = Kind {
    class: "DDIMPipeline",
    former: Some("DDIM"),
    scheduler: Uses { class: Some("DDIMScheduler"), ..Uses::AS_IT_IS },
    ..Kind::PICTURES
};
