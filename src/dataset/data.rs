//! Data sets as recipes name them.

use super::{DataError, Split, broken, emoji, idx, pairs, unreadable};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// `[data]`: the files of a data set, in the folder that is given beside the recipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Data {
    Idx(IdxFiles),
    Emoji(EmojiFiles),
    Safetensors(PairsFile),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdxFiles {
    /// A name for people.
    pub dataset: String,
    pub images: String,
    pub labels: String,
    pub test_images: Option<String>,
    pub test_labels: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmojiFiles {
    pub dataset: String,
    pub images: String,
    pub labels: String,
    /// How often a base emoji stands in the order.
    pub base_repeats: usize,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairsFile {
    pub dataset: String,
    pub images: String,
}

/// The one section of a recipe that is read here.
#[derive(Deserialize)]
struct Named {
    data: Data,
}

impl Data {
    /// The data set that the recipe at `path` names.
    ///
    /// # Errors
    /// A file that is missing, or has no section `[data]` of a known format.
    pub fn of_recipe(path: &Path) -> Result<Self, DataError> {
        let text = fs::read_to_string(path).map_err(unreadable(path))?;
        let Named { data } = toml::from_str(&text).map_err(broken(path, "a recipe"))?;
        Ok(data)
    }

    /// Reads the files in `folder`.
    ///
    /// # Errors
    /// Files that are missing, damaged, or do not belong together.
    pub fn read(&self, folder: &Path) -> Result<Split, DataError> {
        match self {
            Self::Idx(files) => {
                let pair = |images, labels| idx(&folder.join(images), &folder.join(labels));
                let held = files.test_images.as_ref().zip(files.test_labels.as_ref());
                Ok(Split {
                    seen: pair(&files.images, &files.labels)?,
                    held: held.map(|(images, labels)| pair(images, labels)).transpose()?,
                })
            }
            Self::Emoji(files) => emoji(&folder.join(&files.images), &folder.join(&files.labels), files.base_repeats),
            Self::Safetensors(file) => Ok(Split { seen: pairs(&folder.join(&file.images))?, held: None }),
        }
    }
}
