//! The files of a trained model.

use super::{RunError, file};
use crate::denoise::Prediction;
use crate::models::unet2d::Unet2d;
use crate::models::{SaveError, save};
use crate::train::process::Kind;
use crate::train::recipe::Page;
use burn::module::Module;
use burn::tensor::{DType, Device};
use pollster::block_on;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";
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
    let path = dir.join("unet").join(WEIGHTS);
    let weights = fs::read(&path).map_err(file(&path))?;
    let unfit = |why: String| RunError::Init { path, why };
    Unet2d::load(&config.to_string(), &weights, device).map_err(|e| unfit(e.to_string()))
}

fn network<M: Module>(dir: &Path, net: &M, config: &Value) -> Result<(), RunError> {
    write_json(dir, CONFIG, config)?;
    let path = dir.join(WEIGHTS);
    fs::write(&path, halves(net)?).map_err(file(&path))
}

fn write_json(dir: &Path, name: &str, value: &Value) -> Result<(), RunError> {
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
