//! Recipes of scenes with captions: an autoencoder of pictures, and a text-conditioned denoiser of its latents.

use super::{RecipeError, Tables, Train, refuse};
use crate::dataset::scenes::{SceneData, Shares};
use crate::math::ScheduleError;
use crate::models::clip_text::ClipTextConfig;
use crate::train::process::{Kind, Process};
use crate::train::vocabulary::Vocabulary;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

/// A recipe of an autoencoder.
#[derive(Clone, Debug)]
pub struct Autoencoder {
    pub data: SceneData,
    pub scenes: Shares,
    /// `[autoencoder]`, the arguments of diffusers' `AutoencoderKL`.
    pub network: Table,
    pub objective: Reconstruction,
}

/// `[objective]` of an autoencoder: weights of the terms of the loss.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconstruction {
    pub l1: f64,
    pub mse: f64,
    /// L1 of the differences between neighbouring pixels.
    pub gradients: f64,
    pub kl: f64,
    /// Share of pictures whose red, green and blue are exchanged.
    pub shuffle: f64,
}

/// A recipe of a text-conditioned denoiser of latents.
#[derive(Clone, Debug)]
pub struct Captioned {
    pub data: SceneData,
    pub scenes: Shares,
    pub tokenizer: TokenizerSection,
    /// `[text_encoder]`, the arguments of transformers' `CLIPTextConfig`.
    pub text_encoder: Map<String, Json>,
    /// `[unet]`, the arguments of diffusers' `UNet2DConditionModel`.
    pub unet: Table,
    pub latents: Latents,
    pub schedule: Kind,
    pub objective: CaptionDrop,
    /// Where it is distilled from another one.
    pub turbo: Option<Distillation>,
    pub page: Page,
}

/// `[turbo]`: latent consistency distillation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// The folder beside the one that is made, in which the model to distil lies.
    pub teacher: String,
    /// The guidance scale of the teacher that the student draws with.
    pub guidance: f64,
    /// Times that the student learns, evenly spaced.
    pub grid: usize,
    /// Where the loss turns from square to linear.
    pub huber: f64,
    /// Share of the teacher's weights in those that are kept.
    pub blend: f64,
}

/// `[tokenizer]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerSection {
    /// Tokens.
    pub size: usize,
    /// The most tokens of a caption, the start and the end among them.
    pub length: usize,
}

/// `[latents]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latents {
    /// The folder beside the one that is made, in which an autoencoder lies.
    pub autoencoder: String,
}

/// `[objective]` of a text-conditioned denoiser.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionDrop {
    /// Share of captions that are left empty, for classifier-free guidance.
    pub caption_drop: f64,
}

/// `[page]`: what becomes `unnoise.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    pub name: Value,
    pub description: Value,
    pub licence: String,
    pub defaults: Option<Value>,
    pub parts: Option<Value>,
}

impl Autoencoder {
    pub(super) fn read(tables: &Tables, train: &Train) -> Result<Self, RecipeError> {
        tables.only(&["data", "scenes", "autoencoder", "objective", "train"])?;
        let recipe = Self {
            data: tables.section("data")?,
            scenes: tables.section("scenes")?,
            network: tables.section("autoencoder")?,
            objective: tables.section("objective")?,
        };
        check_scenes(&recipe.scenes, tables, train)?;
        let Reconstruction { l1, mse, gradients, kl, shuffle } = recipe.objective;
        for (key, weight) in [("l1", l1), ("mse", mse), ("gradients", gradients), ("kl", kl)] {
            if !(weight >= 0.0 && weight.is_finite()) {
                return refuse("objective", key, weight.to_string(), "a number from 0");
            }
        }
        share("objective", "shuffle", shuffle)?;
        Ok(recipe)
    }

    /// `config.json` of the network.
    pub fn config(&self) -> Json {
        super::config(&self.network, "AutoencoderKL")
    }
}

impl Captioned {
    pub(super) fn read(tables: &Tables, train: &Train) -> Result<Self, RecipeError> {
        tables.only(&[
            "data",
            "scenes",
            "tokenizer",
            "text_encoder",
            "unet",
            "latents",
            "schedule",
            "objective",
            "turbo",
            "train",
            "page",
        ])?;
        let recipe = Self {
            data: tables.section("data")?,
            scenes: tables.section("scenes")?,
            tokenizer: tables.section("tokenizer")?,
            text_encoder: tables.section("text_encoder")?,
            unet: tables.section("unet")?,
            latents: tables.section("latents")?,
            schedule: tables.section("schedule")?,
            objective: tables.section("objective")?,
            turbo: tables.has("turbo").then(|| tables.section("turbo")).transpose()?,
            page: tables.section("page")?,
        };
        check_scenes(&recipe.scenes, tables, train)?;
        share("objective", "caption_drop", recipe.objective.caption_drop)?;
        check_text(&recipe.tokenizer, tables)?;
        if !recipe.schedule.preserves_variance() {
            let needed = "\"linear\", \"scaled_linear\" or \"squaredcos_cap_v2\", as the network predicts v";
            return refuse("schedule", "kind", tables.said("schedule", "kind"), needed);
        }
        undecided("unet", &["cross_attention_dim"], tables)?;
        no_dropout("unet", "dropout", tables)?;
        if let Some(turbo) = &recipe.turbo {
            turbo.check(recipe.schedule.timesteps(), tables, train)?;
        }
        recipe.process()?;
        Ok(recipe)
    }

    /// The forward process.
    ///
    /// # Errors
    /// Betas that make no schedule.
    pub fn process(&self) -> Result<Process, ScheduleError> {
        Process::new(&self.schedule, None)
    }

    /// `unet/config.json`.
    pub fn unet_config(&self) -> Json {
        let mut config = super::config(&self.unet, "UNet2DConditionModel");
        config["cross_attention_dim"] = json!(self.text_encoder.get("hidden_size"));
        config
    }

    /// `text_encoder/config.json`.
    pub fn text_config(&self) -> Json {
        ClipTextConfig::json(&self.text_encoder, self.tokenizer.size)
    }
}

impl Distillation {
    fn check(&self, timesteps: Option<usize>, tables: &Tables, train: &Train) -> Result<(), RecipeError> {
        let Self { guidance, grid, huber, blend, .. } = self;
        if train.init.is_some() {
            refuse("train", "init", tables.said("train", "init"), "left out, as [turbo] starts from the teacher")
        } else if !guidance.is_finite() {
            refuse("turbo", "guidance", guidance.to_string(), "a number")
        } else if *grid == 0 || timesteps.is_none_or(|timesteps| !timesteps.is_multiple_of(*grid)) {
            refuse("turbo", "grid", grid.to_string(), "a number that divides [schedule] timesteps")
        } else if !(*huber >= 0.0 && huber.is_finite()) {
            refuse("turbo", "huber", huber.to_string(), "a number from 0")
        } else {
            share("turbo", "blend", *blend)
        }
    }
}

/// Of a tokenizer, and of the text encoder that reads its tokens.
pub(super) fn check_text(tokenizer: &TokenizerSection, tables: &Tables) -> Result<(), RecipeError> {
    let TokenizerSection { size, length } = *tokenizer;
    if !(Vocabulary::LEAST..=1_000_000).contains(&size) {
        let needed = format!("from {}: every byte is a token, and so is one that ends a word", Vocabulary::LEAST);
        return refuse("tokenizer", "size", size.to_string(), &needed);
    } else if !(2..=4096).contains(&length) {
        return refuse("tokenizer", "length", length.to_string(), "from 2 to 4096");
    }
    let decided =
        ["architectures", "model_type", "vocab_size", "bos_token_id", "eos_token_id", "pad_token_id", "projection_dim"];
    undecided("text_encoder", &decided, tables)?;
    no_dropout("text_encoder", "attention_dropout", tables)
}

/// Refuses keys that follow from other sections.
fn undecided(section: &'static str, keys: &[&'static str], tables: &Tables) -> Result<(), RecipeError> {
    match keys.iter().find(|key| tables.has_key(section, key)) {
        Some(&key) => refuse(section, key, tables.said(section, key), "left out, as other sections decide it"),
        None => Ok(()),
    }
}

fn no_dropout(section: &'static str, key: &'static str, tables: &Tables) -> Result<(), RecipeError> {
    match tables.has_key(section, key) && !["0", "0.0"].contains(&tables.said(section, key).as_str()) {
        true => refuse(section, key, tables.said(section, key), "0, as nothing is dropped out here"),
        false => Ok(()),
    }
}

pub(super) fn check_scenes(shares: &Shares, tables: &Tables, train: &Train) -> Result<(), RecipeError> {
    let Shares { plain, coloured, mirrored, sized, pairs, counts, chinese, base_share } = *shares;
    let kinds = [
        ("plain", plain),
        ("coloured", coloured),
        ("mirrored", mirrored),
        ("sized", sized),
        ("pairs", pairs),
        ("counts", counts),
    ];
    for (key, of) in kinds {
        if !(of >= 0.0 && of.is_finite()) {
            return refuse("scenes", key, of.to_string(), "a number from 0");
        }
    }
    if kinds.iter().all(|(_, of)| *of == 0.0) {
        return refuse("scenes", "plain", plain.to_string(), "above 0, or another share of a kind");
    } else if train.workers.is_none() {
        return refuse(
            "train",
            "workers",
            tables.said("train", "workers"),
            "a number of processes, of which 0 will do",
        );
    }
    share("scenes", "chinese", chinese)?;
    share("scenes", "base_share", base_share)
}

fn share(section: &'static str, key: &'static str, of: f64) -> Result<(), RecipeError> {
    match (0.0..=1.0).contains(&of) {
        true => Ok(()),
        false => refuse(section, key, of.to_string(), "a number from 0 to 1"),
    }
}
