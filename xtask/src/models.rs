//! The shipped models and the list of them that the page reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files;

/// A text in the page's languages.
#[derive(Serialize, Deserialize)]
struct Text {
    en: String,
    zh: String,
}

/// What the index takes from a model's `unnoise.json`.
#[derive(Deserialize)]
struct Card {
    name: Text,
    description: Text,
}

#[derive(Serialize)]
struct Asset {
    bytes: usize,
    /// Hexadecimal.
    sha256: String,
}

/// A row of `models/index.json`.
#[derive(Serialize)]
struct Row {
    /// The folder's name.
    id: String,
    name: Text,
    description: Text,
    /// What a visitor downloads to run the model.
    bytes: usize,
    /// By path in the folder.
    files: BTreeMap<String, Asset>,
}

/// `models/index.json`: a row for each folder that has an `unnoise.json`.
pub fn index(models: &Path) -> Result<String> {
    let mut rows = Vec::new();
    for card in files::list(models)?.into_iter().filter(|path| path.ends_with("unnoise.json")) {
        let folder = card.parent().expect("it is a file in a folder");
        rows.push(row(folder).with_context(|| format!("the model in {} cannot be listed", folder.display()))?);
    }
    Ok(serde_json::to_string(&rows)?)
}

fn row(folder: &Path) -> Result<Row> {
    let card: Card = serde_json::from_slice(&fs::read(folder.join("unnoise.json"))?).context("in unnoise.json")?;
    let mut assets = BTreeMap::new();
    for path in files::list(folder)?.into_iter().filter(|path| has_ending(path, &["json", "safetensors"])) {
        let bytes = fs::read(&path)?;
        let asset = Asset { bytes: bytes.len(), sha256: format!("{:x}", Sha256::digest(&bytes)) };
        // A URL's separator, whatever the system's is.
        let parts = path.strip_prefix(folder)?.iter().map(|part| part.to_string_lossy());
        assets.insert(parts.collect::<Vec<_>>().join("/"), asset);
    }
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = assets.values().map(|asset| asset.bytes).sum();
    Ok(Row { id, name: card.name, description: card.description, bytes, files: assets })
}

/// The files that a published page carries: what runs a model and what describes it.
pub fn shipped(models: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = files::list(models)?;
    paths.retain(|path| has_ending(path, &["json", "safetensors", "md", "png"]) || path.ends_with("LICENSE"));
    Ok(paths)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|found| endings.iter().any(|ending| found == *ending))
}
