//! `model_index.json`: which pipeline of diffusers a folder holds, and of what parts.

use serde_json::{Map, Value};
use thiserror::Error;

/// A kind of pipeline, by its name in diffusers.
#[derive(Debug, PartialEq)]
pub struct Kind {
    pub class: &'static str,
    pub network: Part,
    /// What turns latents into pictures; pipelines of pictures have none.
    pub decoder: Option<Part>,
    /// Whether a text tells it what to draw, by a text encoder and its tokenizer.
    pub text: bool,
}

/// A part of a pipeline.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// Where it may stand in the folder; the first that is there is it.
    pub folders: &'static [&'static str],
    /// Classes of which it may be.
    pub classes: &'static [&'static str],
}

const UNET: Part = Part { folders: &["unet"], classes: &["UNet2DModel"] };
const KL: Part = Part { folders: &["vae"], classes: &["AutoencoderKL"] };

/// Every kind that is drawn. Another one is a row here.
pub const KINDS: &[Kind] = &[
    Kind { class: "DDPMPipeline", network: UNET, decoder: None, text: false },
    Kind { class: "DDIMPipeline", network: UNET, decoder: None, text: false },
    Kind { class: "PNDMPipeline", network: UNET, decoder: None, text: false },
    Kind {
        class: "LDMPipeline",
        network: UNET,
        decoder: Some(Part { folders: &["vqvae", "vae"], classes: &["VQModel", "AutoencoderKL"] }),
        text: false,
    },
    Kind {
        class: "DiTPipeline",
        // Before DiT had a class of its own, diffusers built it from the general one.
        network: Part { folders: &["transformer"], classes: &["DiTTransformer2DModel", "Transformer2DModel"] },
        decoder: Some(KL),
        text: false,
    },
    Kind {
        class: "StableDiffusionPipeline",
        network: Part { folders: &["unet"], classes: &["UNet2DConditionModel"] },
        decoder: Some(KL),
        text: true,
    },
];

/// The text encoder of a pipeline that has one.
pub const TEXT_ENCODER: Part = Part { folders: &["text_encoder"], classes: &["CLIPTextModel"] };

/// Parts that are no part of drawing: they judge pictures, or read ones to start from.
const IDLE: &[&str] = &["safety_checker", "feature_extractor", "image_encoder"];

/// Why a folder is not a pipeline that can be drawn.
#[derive(Debug, Error, PartialEq)]
pub enum IndexError {
    #[error("model_index.json is not a JSON object: {0}.")]
    Json(String),
    #[error("model_index.json names no pipeline (`_class_name`).")]
    NoClass,
    #[error("The folder holds a {class}, which is not drawn here; these are: {}.", known())]
    Unknown { class: String },
    #[error("A {class} has {}, but model_index.json names none.", .folders.join("/ or ") + "/")]
    Missing { class: &'static str, folders: &'static [&'static str] },
    #[error("The folder's {folder}/ is a {got}; in a {class} it can be {}.", .supported.join(" or "))]
    Class { class: &'static str, folder: &'static str, got: String, supported: &'static [&'static str] },
    #[error(
        "The {class} also has {folder}/, a {got}, which is not used here; without it the picture would be another."
    )]
    More { class: &'static str, folder: String, got: String },
}

fn known() -> String {
    KINDS.iter().map(|kind| kind.class).collect::<Vec<_>>().join(", ")
}

/// What a folder's index says.
#[derive(Debug)]
pub struct Index {
    pub kind: &'static Kind,
    parts: Map<String, Value>,
}

impl Index {
    /// Reads the text of a `model_index.json`.
    ///
    /// # Errors
    /// Text that is no JSON object, a pipeline that is not drawn here, a part that is not used.
    pub fn read(json: &str) -> Result<Self, IndexError> {
        let parts: Map<String, Value> = serde_json::from_str(json).map_err(|e| IndexError::Json(e.to_string()))?;
        let class = parts.get("_class_name").and_then(Value::as_str).ok_or(IndexError::NoClass)?;
        let kind = KINDS.iter().find(|kind| kind.class == class);
        let kind = kind.ok_or_else(|| IndexError::Unknown { class: class.to_owned() })?;
        let index = Self { kind, parts };
        let text: &[&str] = if kind.text { &["text_encoder", "tokenizer"] } else { &[] };
        let decoder = kind.decoder.as_ref().map_or(&[] as &[&str], |part| part.folders);
        let used = [kind.network.folders, decoder, text, &["scheduler"], IDLE].concat();
        let more = index.parts.keys().filter(|folder| !used.contains(&folder.as_str()));
        match more.filter_map(|folder| Some((folder, index.class(folder)?))).next() {
            Some((folder, got)) => {
                Err(IndexError::More { class: kind.class, folder: folder.clone(), got: got.to_owned() })
            }
            None => Ok(index),
        }
    }

    /// The folder and the class of a part.
    ///
    /// # Errors
    /// There is none, or it is of another class.
    pub fn part(&self, part: &'static Part) -> Result<(&'static str, &'static str), IndexError> {
        let class = self.kind.class;
        let found = part.folders.iter().find_map(|folder| Some((*folder, self.class(folder)?)));
        let (folder, got) = found.ok_or(IndexError::Missing { class, folders: part.folders })?;
        let known = part.classes.iter().find(|class| **class == got);
        let refused = || IndexError::Class { class, folder, got: got.to_owned(), supported: part.classes };
        Ok((folder, known.ok_or_else(refused)?))
    }

    /// The class of the part in `folder`; a part that was left out has none.
    fn class(&self, folder: &str) -> Option<&str> {
        self.parts.get(folder)?.as_array()?.get(1)?.as_str()
    }
}
