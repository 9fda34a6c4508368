//! Folders without a card draw the pictures of their pipelines in diffusers, whatever their scheduler. The records were made
//! by `tests/golden/schedulers/make.py`.
#![cfg(feature = "cpu")]

use burn::tensor::Device;
use pollster::block_on;
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend};
use unnoise::pipeline::{Memory, Pipeline};
use unnoise::settings::{Class, Levels, Settings};

/// How far a byte may be from diffusers': a value within rounding of a half may fall to either side, and single precision
/// is carried through the whole run.
const FAR: u8 = 2;

#[derive(Deserialize)]
struct Case {
    name: String,
    pipeline: Option<String>,
    network: String,
    /// Text of its `scheduler_config.json`.
    scheduler: String,
    steps: usize,
    seed: u32,
    picture: Vec<u8>,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schedulers")
}

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(golden().join("cases.json")).expect("the cases");
    serde_json::from_str(&text).expect("cases")
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
}

impl Case {
    fn model(&self) -> Pipeline {
        let folder = golden().join("networks").join(&self.network);
        let read = |name: &str| fs::read(folder.join(name)).expect("a file of the network");
        let mut files = vec![
            ("unet/config.json", read("config.json")),
            ("unet/diffusion_pytorch_model.safetensors", read("diffusion_pytorch_model.safetensors")),
            ("scheduler/scheduler_config.json", self.scheduler.clone().into_bytes()),
        ];
        if let Some(class) = &self.pipeline {
            let index = json!({"_class_name": class, "unet": ["diffusers", "UNet2DModel"]});
            files.push(("model_index.json", index.to_string().into_bytes()));
        }
        let files = Memory(files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect());
        block_on(Pipeline::open(&files, &device())).unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// The settings that the folder starts with, for one picture.
    fn settings(&self, model: &Pipeline) -> Settings {
        let preset = model.preset().expect("settings");
        assert_eq!(preset.schedule, Levels::Model, "{}: {:?}", self.name, model.notes);
        Settings { steps: self.steps, seed: self.seed, images: 1, class: Class::None, ..preset }
    }

    /// How far the picture of these settings is from the recorded one, in the byte that is furthest.
    fn far(&self, model: &Pipeline, settings: &Settings) -> u8 {
        let pixels = block_on(model.sample(settings)).unwrap_or_else(|e| panic!("{}: {e}", self.name)).bytes;
        assert_eq!(pixels.len(), self.picture.len());
        pixels.iter().zip(&self.picture).map(|(a, b)| a.abs_diff(*b)).max().expect("a picture")
    }
}

#[test]
fn every_scheduler_draws_the_picture_of_diffusers() {
    let far: Vec<String> = (cases().iter())
        .filter_map(|case| {
            let model = case.model();
            let far = case.far(&model, &case.settings(&model));
            println!("{}: {far}", case.name);
            (far > FAR).then(|| format!("{} by {far}", case.name))
        })
        .collect();
    assert!(far.is_empty(), "{}", far.join(", "));
}

/// Each picture depends on its own seed alone, for the methods that draw as for those that choose their steps.
#[test]
fn a_picture_is_the_same_in_a_batch() {
    for name in ["ddpm-learned-trailing", "score-sde-ve", "sa-solver"] {
        let case = case(name);
        let model = case.model();
        let settings = Settings { seed: case.seed - 1, images: 2, ..case.settings(&model) };
        let both = block_on(model.sample(&settings)).expect("pictures");
        let far = both.get(1).iter().zip(&case.picture).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(far <= Some(FAR), "{name}: {far:?}");
    }
}

/// With another sampler the scheduler's levels are what is left of it.
#[test]
fn another_sampler_takes_the_levels_alone() {
    let case = case("ddim");
    let model = case.model();
    let sample = |settings: &Settings| block_on(model.sample(settings)).expect("a picture");
    let own = Settings { sampler: "euler".to_owned(), ..case.settings(&model) };
    let named = Settings { schedule: unnoise::math::Spacing::Leading.into(), ..own.clone() };
    assert_eq!(sample(&own), sample(&named));
}

#[test]
fn a_scheduler_that_is_not_followed_is_named() {
    let mut case = case("ddpm-small");
    case.scheduler = case.scheduler.replace("fixed_small", "learned");
    let model = case.model();
    assert!(model.notes.iter().any(|note| note.contains("variance_type `learned`")), "{:?}", model.notes);
    let preset = model.preset().expect("settings");
    assert_ne!(preset.schedule, Levels::Model);
    let settings = Settings { schedule: Levels::Model, ..preset };
    let refusal = block_on(model.sample(&settings)).expect_err("it is not followed").to_string();
    assert!(refusal.contains("variance_type `learned`") && refusal.contains("choose another schedule"), "{refusal}");
}
