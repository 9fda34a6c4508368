//! What the page knows of a loaded model.

use super::memory;
use crate::math::NoiseSchedule;
use crate::pipeline::{Conditioning, Part, Pipeline};
use crate::settings::{self, Linked, Page};
use serde::Serialize;
use std::collections::BTreeMap;
use tsify::Tsify;

/// A loaded model.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct About {
    /// Of all parts.
    parameters: usize,
    parts: Vec<PartAbout>,
    /// Bytes of memory that the engine has had so far, which never become fewer: weights on the CPU, and what it took to load
    /// and to run them.
    memory: f64,
    /// What tells it what to draw.
    #[tsify(type = "\"none\" | \"classes\" | \"text\"")]
    conditioning: &'static str,
    /// Whether it draws latents, whose pictures an autoencoder makes.
    latent: bool,
    /// The most tokens of a prompt, the two that begin and end it among them; `null` where none is read.
    tokens: Option<usize>,
    /// Of its pictures.
    channels: usize,
    height: usize,
    width: usize,
    /// The least side of its pictures and what their sides are multiples of; `null` where they have one size alone.
    sizes: Option<[usize; 2]>,
    classes: Vec<ClassName>,
    /// The label that stands for no label.
    null_class: Option<usize>,
    #[tsify(type = "string")]
    prediction: crate::denoise::Prediction,
    process: &'static str,
    /// Of training; `null` for a process of continuous time.
    timesteps: Option<usize>,
    last_time: f64,
    /// The largest noise-to-signal ratio; `null` where it is infinite.
    most_noise: Option<f64>,
    /// What transparent parts of a start picture are laid on: red, green and blue.
    background: [u8; 3],
    /// The settings that it starts with, where they are not those of every model.
    #[tsify(type = "Partial<Settings>")]
    defaults: BTreeMap<&'static str, settings::Value>,
}

/// A network of the model.
#[derive(Serialize, Tsify)]
pub struct PartAbout {
    /// Its folder.
    folder: &'static str,
    /// Its class in diffusers or transformers.
    class: &'static str,
    parameters: usize,
    /// Of the files of its weights.
    bytes: f64,
    /// How its weights are stored, by torch's names of types.
    stored: Vec<&'static str>,
}

#[derive(Serialize, Tsify)]
pub struct ClassName {
    en: String,
    zh: String,
}

impl About {
    pub fn new(model: &Pipeline, preset: &settings::Settings) -> Self {
        let ([channels, height, width], card) = (model.picture(), &model.card);
        let noisiest = model.schedule.level(model.schedule.t_max());
        let class = |name: &crate::models::Text| ClassName { en: name.en.clone(), zh: name.zh.clone() };
        let part = |Part { folder, class, parameters, bytes, stored }: &Part| PartAbout {
            folder,
            class,
            parameters: *parameters,
            bytes: *bytes as f64,
            stored: stored.clone(),
        };
        let tokens = match &model.conditioning {
            Conditioning::Text(encoders) => Some(encoders.length()),
            _ => None,
        };
        Self {
            parameters: model.parameters(),
            memory: memory(),
            parts: model.parts.iter().map(part).collect(),
            conditioning: model.conditioning.id(),
            latent: model.is_latent(),
            tokens,
            channels,
            height,
            width,
            sizes: model.sizes(),
            classes: card.classes.iter().map(class).collect(),
            null_class: card.null_class,
            prediction: model.prediction,
            process: model.schedule.family(),
            timesteps: model.schedule.timesteps(),
            last_time: noisiest.t,
            most_noise: Some(noisiest.nsr()).filter(|nsr| nsr.is_finite()),
            background: card.background,
            defaults: defaults(preset),
        }
    }
}

/// What a model starts with and others do not.
fn defaults(preset: &settings::Settings) -> BTreeMap<&'static str, settings::Value> {
    let (page, usual) = (Page::default(), settings::Settings::default());
    let own = |(key, _): &(&'static str, settings::Value)| {
        *key != "model" && preset.value(&page, key) != usual.value(&page, key)
    };
    preset.record(&page).into_iter().filter(own).collect()
}
