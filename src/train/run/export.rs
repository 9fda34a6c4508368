//! The files of a trained model.

use super::{RunError, file};
use crate::denoise::Prediction;
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::models::clip_text::ClipText;
use crate::models::judge::Judge;
use crate::models::unet2d::Unet2d;
use crate::models::unet2d_condition::Unet2dCondition;
use crate::models::{SaveError, save};
use crate::train::process::Kind;
use crate::train::recipe::{Page, TextPage};
use crate::train::tasks::TextDenoiser;
use burn::module::Module;
use burn::tensor::{DType, Device};
use pollster::block_on;
use serde_json::{Value, json};
use std::fmt::Display;
use std::fs;
use std::path::Path;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";
const TEXT_ENCODER: &str = "text_encoder";
const TEXT_WEIGHTS: &str = "model.safetensors";
const JUDGE: &str = "judge.safetensors";
/// Frequencies of a Fourier embedding, which are not rounded: a phase of many turns amplifies what is lost.
const WHOLE: &str = "time_proj.weight";

/// Writes a model's folder in the layout of diffusers, with a card.
pub fn denoiser(
    out: &Path,
    net: &Unet2d,
    config: &Value,
    kind: &Kind,
    prediction: Prediction,
    page: &Page,
) -> Result<(), RunError> {
    let scheduler = kind.scheduler_config(json!(prediction));
    let pipeline = match kind {
        // diffusers has no pipeline for a bare flow matching model; its users sample by hand.
        Kind::Flow(_) => "FlowMatchingPipeline",
        Kind::Ve(_) => "ScoreSdeVePipeline",
        _ => "DDIMPipeline",
    };
    let index = json!({
        "_class_name": pipeline,
        "scheduler": ["diffusers", scheduler["_class_name"]],
        "unet": ["diffusers", "UNet2DModel"],
    });
    let mut card = json!({
        "name": page.name,
        "description": page.description,
        "classes": page.classes,
        "null_class": page.classes.len(),
        "licence": page.licence,
        "range": [-1, 1],
        "clip_denoised": page.clip_denoised,
    });
    if let Some(background) = page.background {
        card["background"] = json!(background);
    }
    for (key, value) in [("defaults", &page.defaults), ("classifier", &page.classifier)] {
        if let Some(value) = value {
            card[key] = json!(value);
        }
    }
    network(&out.join("unet"), net, config)?;
    write_json(&out.join("scheduler"), "scheduler_config.json", &scheduler)?;
    write_json(out, "model_index.json", &index)?;
    write_json(out, "unnoise.json", &card)
}

/// Writes a classifier's folder.
pub fn classifier<M: Module>(out: &Path, net: &M, config: &Value) -> Result<(), RunError> {
    network(out, net, config)
}

/// The network of another model, which must have this configuration.
pub fn unet(dir: &Path, config: &Value, device: &Device) -> Result<Unet2d, RunError> {
    let read = |config: &str, bytes: &[u8]| Unet2d::load(config, bytes, device);
    load(&dir.join("unet").join(WEIGHTS), "model", config, read)
}

/// The same of a text-conditioned denoiser.
pub fn unet_condition(dir: &Path, config: &Value, device: &Device) -> Result<Unet2dCondition, RunError> {
    let read = |config: &str, bytes: &[u8]| Unet2dCondition::load(config, &[bytes], device);
    load(&dir.join("unet").join(WEIGHTS), "unet", config, read)
}

/// The same of its text encoder.
pub fn text_encoder(dir: &Path, config: &Value, device: &Device) -> Result<ClipText, RunError> {
    let read = |config: &str, bytes: &[u8]| ClipText::load(config, &[bytes], device);
    load(&dir.join(TEXT_ENCODER).join(TEXT_WEIGHTS), "text_encoder", config, read)
}

/// The same of an autoencoder.
pub fn autoencoder(dir: &Path, config: &Value, device: &Device) -> Result<AutoencoderKl, RunError> {
    let read = |config: &str, bytes: &[u8]| AutoencoderKl::load(config, &[bytes], device);
    load(&dir.join(WEIGHTS), "autoencoder", config, read)
}

/// The judge in a folder.
pub fn judge(dir: &Path, config: &Value, device: &Device) -> Result<Judge, RunError> {
    let read = |config: &str, bytes: &[u8]| Judge::load(config, &[bytes], device);
    load(&dir.join(JUDGE), "judge", config, read)
}

fn load<M, E: Display>(
    path: &Path,
    section: &'static str,
    config: &Value,
    read: impl FnOnce(&str, &[u8]) -> Result<M, E>,
) -> Result<M, RunError> {
    let bytes = fs::read(path).map_err(file(path))?;
    read(&config.to_string(), &bytes).map_err(|e| RunError::Init { path: path.to_owned(), section, why: e.to_string() })
}

/// An autoencoder as its folder describes it, and the description.
pub fn frozen(dir: &Path, device: &Device) -> Result<(AutoencoderKl, Value), RunError> {
    let (path, config) = (dir.join(WEIGHTS), dir.join(CONFIG));
    let text = fs::read_to_string(&config).map_err(file(&config))?;
    let bytes = fs::read(&path).map_err(file(&path))?;
    let unfit = |why: String| RunError::Autoencoder { path: dir.to_owned(), why };
    let net = AutoencoderKl::load(&text, &[bytes], device).map_err(|e| unfit(e.to_string()))?;
    let json = serde_json::from_str(&text).map_err(|e| unfit(e.to_string()))?;
    Ok((net, json))
}

/// A text-conditioned denoiser, with what it was built from and its autoencoder.
pub struct Parts<'a> {
    pub net: &'a TextDenoiser,
    pub unet: &'a Value,
    pub text: &'a Value,
    pub vae: (&'a AutoencoderKl, &'a Value),
}

/// Writes the folder of a text-to-image model in the layout of diffusers' `StableDiffusionPipeline`, with a card. The tokenizer is
/// there.
pub fn captioned(out: &Path, parts: &Parts, kind: &Kind, page: &TextPage) -> Result<(), RunError> {
    let scheduler = kind.solver_config(json!(Prediction::Velocity));
    let index = json!({
        "_class_name": "StableDiffusionPipeline",
        "feature_extractor": [null, null],
        "image_encoder": [null, null],
        "requires_safety_checker": false,
        "safety_checker": [null, null],
        "scheduler": ["diffusers", scheduler["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    });
    let (vae, vae_config) = parts.vae;
    network(&out.join("vae"), vae, vae_config)?;
    network(&out.join("unet"), &parts.net.unet, parts.unet)?;
    named(&out.join(TEXT_ENCODER), TEXT_WEIGHTS, &parts.net.text_encoder, parts.text)?;
    write_json(&out.join("scheduler"), "scheduler_config.json", &scheduler)?;
    write_json(out, "model_index.json", &index)?;
    write_json(out, "unnoise.json", &text_card(page))
}

/// Writes a distilled denoiser with its scheduler: the other parts are the teacher's, which the card says.
pub fn student(
    out: &Path,
    (net, config): (&Unet2dCondition, &Value),
    kind: &Kind,
    grid: usize,
    page: &TextPage,
) -> Result<(), RunError> {
    let tokenizer = out.join("tokenizer");
    fs::remove_dir_all(&tokenizer).map_err(file(&tokenizer))?;
    let scheduler = kind.consistency_config(json!(Prediction::Velocity), grid);
    network(&out.join("unet"), net, config)?;
    write_json(&out.join("scheduler"), "scheduler_config.json", &scheduler)?;
    write_json(out, "unnoise.json", &text_card(page))
}

fn text_card(page: &TextPage) -> Value {
    let mut card = json!({
        "name": page.name,
        "description": page.description,
        "licence": page.licence,
        "range": [-1, 1],
    });
    for (key, value) in [("defaults", &page.defaults), ("parts", &page.parts)] {
        if let Some(value) = value {
            card[key] = json!(value);
        }
    }
    card
}

/// Writes a judge with what it was built from. The tokenizer is there.
pub fn judged(out: &Path, net: &Judge, config: &Value) -> Result<(), RunError> {
    named(out, JUDGE, net, config)
}

/// Writes a network's folder.
pub fn network<M: Module>(dir: &Path, net: &M, config: &Value) -> Result<(), RunError> {
    named(dir, WEIGHTS, net, config)
}

fn named<M: Module>(dir: &Path, weights: &str, net: &M, config: &Value) -> Result<(), RunError> {
    write_json(dir, CONFIG, config)?;
    let path = dir.join(weights);
    fs::write(&path, halves(net)?).map_err(file(&path))
}

pub fn write_json(dir: &Path, name: &str, value: &Value) -> Result<(), RunError> {
    let path = dir.join(name);
    fs::create_dir_all(dir).and_then(|()| fs::write(&path, format!("{value:#}\n"))).map_err(file(&path))
}

/// The parameters as a safetensors file of 16-bit floats, by the names of their places in the module.
fn halves<M: Module>(net: &M) -> Result<Vec<u8>, RunError> {
    let stored = |name: &str| if name == WHOLE { DType::F32 } else { DType::F16 };
    block_on(save(net, stored)).map_err(|e| match e {
        SaveError::Backend(e) => e.into(),
        SaveError::Write(e) => RunError::Export(e.to_string()),
    })
}
