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
    /// How many text encoders, each with its tokenizer, tell it what to draw.
    pub encoders: usize,
    /// Guidance where diffusers' pipeline starts.
    pub guidance: f64,
}

/// A part of a pipeline.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// Where it may stand in the folder; the first that is there is it.
    pub folders: &'static [&'static str],
    /// Classes of which it may be.
    pub classes: &'static [&'static str],
}

/// By its name of now, and that of diffusers 0.1.
const UNET: Part = Part { folders: &["unet"], classes: &["UNet2DModel", "UNetUnconditionalModel"] };
const VAE: Part = Part { folders: &["vae"], classes: &["AutoencoderKL", "AutoencoderTiny"] };

/// The kind whose network may be given a hole to fill, besides the latents.
pub const INPAINTING: &str = "StableDiffusionInpaintPipeline";

/// Every kind that is drawn. Another one is a row here.
pub const KINDS: &[Kind] = &[
    Kind::of_pictures("DDPMPipeline"),
    Kind::of_pictures("DDIMPipeline"),
    Kind::of_pictures("PNDMPipeline"),
    Kind::of_pictures("ScoreSdeVePipeline"),
    Kind::of_pictures("KarrasVePipeline"),
    Kind::of_pictures("ConsistencyModelPipeline"),
    // What `unnoise train` writes for a flow, for which diffusers has no pipeline without a text.
    Kind::of_pictures("FlowMatchingPipeline"),
    // The first two by their names in diffusers 0.1.
    Kind::of_pictures("DDPM"),
    Kind::of_pictures("DDIM"),
    Kind {
        class: "LDMPipeline",
        network: UNET,
        decoder: Some(Part { folders: &["vqvae", "vae"], classes: &["VQModel", "AutoencoderKL", "AutoencoderTiny"] }),
        encoders: 0,
        guidance: 1.0,
    },
    Kind {
        class: "DiTPipeline",
        // Before DiT had a class of its own, diffusers built it from the general one.
        network: Part { folders: &["transformer"], classes: &["DiTTransformer2DModel", "Transformer2DModel"] },
        decoder: Some(VAE),
        encoders: 0,
        guidance: 4.0,
    },
    Kind::of_words("StableDiffusionPipeline", 1, 7.5),
    Kind::of_words(INPAINTING, 1, 7.5),
    Kind::of_words("LatentConsistencyModelPipeline", 1, 8.5),
    Kind::of_words("StableDiffusionXLPipeline", 2, 5.0),
];

impl Part {
    fn is(&self, class: &str) -> bool {
        self.classes.contains(&class)
    }
}

impl Kind {
    const fn of_pictures(class: &'static str) -> Self {
        Self { class, network: UNET, decoder: None, encoders: 0, guidance: 1.0 }
    }

    const fn of_words(class: &'static str, encoders: usize, guidance: f64) -> Self {
        let network = Part { folders: &["unet"], classes: &["UNet2DConditionModel"] };
        Self { class, network, decoder: Some(VAE), encoders, guidance }
    }
}

/// The text encoders of pipelines that have them, and the folders of their tokenizers.
pub const TEXT_ENCODERS: [(Part, &str); 2] = [
    (Part { folders: &["text_encoder"], classes: &["CLIPTextModel", "CLIPTextModelWithProjection"] }, "tokenizer"),
    (Part { folders: &["text_encoder_2"], classes: &["CLIPTextModelWithProjection"] }, "tokenizer_2"),
];

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
    #[error("A {class} has {}, but this folder has none.", .folders.join("/ or ") + "/")]
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
        let text: Vec<&str> =
            TEXT_ENCODERS.iter().take(kind.encoders).flat_map(|(part, own)| [part.folders[0], own]).collect();
        let decoder = kind.decoder.as_ref().map_or(&[] as &[&str], |part| part.folders);
        let used = [kind.network.folders, decoder, &text, &["scheduler"], IDLE].concat();
        let more = index.parts.keys().filter(|folder| !used.contains(&folder.as_str()));
        match more.filter_map(|folder| Some((folder, index.class(folder)?))).next() {
            Some((folder, got)) => {
                Err(IndexError::More { class: kind.class, folder: folder.clone(), got: got.to_owned() })
            }
            None => Ok(index),
        }
    }

    /// What the classes of the parts, by their folders, say of a folder without an index.
    pub fn of_parts(parts: &[(&str, String)]) -> Self {
        let has = |part: &Part| parts.iter().any(|(folder, class)| part.folders.contains(folder) && part.is(class));
        let fits = |kind: &&Kind| has(&kind.network) && kind.decoder.as_ref().is_none_or(has);
        // The kinds of latents are told from those of pictures by their decoder, so they come first.
        let latent = KINDS.iter().filter(|kind| kind.decoder.is_some()).find(fits);
        let named = || KINDS.iter().find(|kind| has(&kind.network));
        let part = |(folder, class): &(&str, String)| ((*folder).to_owned(), Value::from(vec!["", class]));
        Self { kind: latent.or_else(named).unwrap_or(&KINDS[0]), parts: parts.iter().map(part).collect() }
    }

    /// Whether no negative prompt stands for states of zeros instead of an empty text (`force_zeros_for_empty_prompt`).
    pub fn zeros(&self) -> bool {
        let said = self.parts.get("force_zeros_for_empty_prompt").and_then(Value::as_bool);
        self.kind.encoders > 1 && said.unwrap_or(true)
    }

    /// The names of the classes that it lists by their numbers (`id2label`).
    pub fn labels(&self) -> Vec<(usize, &str)> {
        let labels = self.parts.get("id2label").and_then(Value::as_object).into_iter().flatten();
        labels.filter_map(|(number, name)| Some((number.parse().ok()?, name.as_str()?))).collect()
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

    /// Whether it has every part, each of a class that is known here.
    ///
    /// # Errors
    /// As [`part`](Self::part).
    pub fn complete(&self) -> Result<(), IndexError> {
        let encoders = TEXT_ENCODERS.iter().take(self.kind.encoders).map(|(part, _)| part);
        let all = std::iter::once(&self.kind.network).chain(&self.kind.decoder).chain(encoders);
        all.map(|part| self.part(part)).try_for_each(|part| part.map(|_| ()))
    }

    /// The class of the part in `folder`; a part that was left out has none.
    fn class(&self, folder: &str) -> Option<&str> {
        self.parts.get(folder)?.as_array()?.get(1)?.as_str()
    }
}
