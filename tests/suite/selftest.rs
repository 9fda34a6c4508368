//! The small network of `models/selftest` with what a card would say: the last class serves as "no label", and clipping keeps an
//! untrained network within bounds.
#![cfg(feature = "cpu")]

use pollster::block_on;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::pipeline::Pipeline;

pub fn model() -> Pipeline {
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest");
    let mut model = Pipeline::from_dir(&folder, &device).unwrap();
    (model.card.null_class, model.card.clip_denoised) = (Some(2), true);
    model
}
