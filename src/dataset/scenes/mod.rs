//! Scenes: emoji on a canvas, with captions in English and Chinese that are true of it. A scene is a function of the numbers that it is
//! drawn with, and those are Python's, so that `training/` sees the same ones.

mod canvas;
mod colours;
mod phrases;
mod python;
mod scene;
mod words;
mod wrong;

pub use canvas::Sprites;
pub use python::PythonRandom;
pub use scene::{Part, Scene, Scenes, Shares};

use super::{DataError, broken, emoji};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;

/// One base emoji of so many, with its variants, is kept from an autoencoder.
const EVERY: usize = 50;

/// `[data]` of a recipe of scenes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum SceneData {
    Scenes(SceneFiles),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneFiles {
    /// A name for people.
    pub dataset: String,
    pub images: String,
    pub labels: String,
    /// The folder of `en/data.json` and `zh/data.json`.
    pub captions: String,
}

/// The pictures, and the scenes that are made of them.
#[derive(Clone, Debug)]
pub struct SceneSet {
    pub sprites: Sprites,
    pub scenes: Scenes,
    /// Pictures that were kept back, in their order.
    pub kept_back: Vec<usize>,
}

impl SceneData {
    /// Reads the files in `folder`. With `keep_back` some emoji occur in no scene.
    ///
    /// # Errors
    /// Files that are missing, damaged, do not belong together, or do not suffice for the scenes that are asked for.
    pub fn read(&self, folder: &Path, shares: &Shares, keep_back: bool) -> Result<SceneSet, DataError> {
        let Self::Scenes(files) = self;
        let (arrays, index) = (folder.join(&files.images), folder.join(&files.labels));
        let entries = words::entries(&index, &folder.join(&files.captions))?;
        let (rgba, [count, side]) = emoji::rgba(&arrays)?;
        if entries.len() != count {
            return Err(DataError::Count { path: arrays, pictures: count, labels: entries.len() });
        }
        let sprites = Sprites::new(side, rgba);
        let first = |entry: &words::Entry| entry.code.split('-').next().unwrap_or_default().to_owned();
        let mut codes: Vec<String> = entries.iter().filter(|entry| entry.base).map(first).collect();
        let mut seen = HashSet::new();
        codes.retain(|code| seen.insert(code.clone()));
        let held: HashSet<&String> = codes.iter().skip(EVERY - 1).step_by(EVERY).collect();
        let kept_back: Vec<usize> = (0..count).filter(|&i| held.contains(&first(&entries[i]))).collect();
        let without = if keep_back { kept_back.iter().copied().collect() } else { HashSet::new() };
        let scenes = Scenes::new(entries, sprites.natural(), shares.clone(), &without);
        let scenes = scenes.map_err(broken(&arrays, "a set of pictures for these scenes"))?;
        Ok(SceneSet { sprites, scenes, kept_back })
    }
}
