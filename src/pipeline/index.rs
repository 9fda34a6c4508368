//! `model_index.json`: which pipeline of diffusers a folder holds, and of what parts.

pub use super::kinds::{Kind, Part, TEXT_ENCODERS};

use super::kinds::KINDS;
use serde_json::{Map, Value};
use thiserror::Error;

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
        let kind = Kind::named(class).ok_or_else(|| IndexError::Unknown { class: class.to_owned() })?;
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
        let latent = KINDS.iter().copied().filter(|kind| kind.decoder.is_some()).find(fits);
        let named = || KINDS.iter().copied().find(|kind| has(&kind.network));
        let part = |(folder, class): &(&str, String)| ((*folder).to_owned(), Value::from(vec!["", class]));
        Self { kind: latent.or_else(named).unwrap_or(KINDS[0]), parts: parts.iter().map(part).collect() }
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
