//! A classifier from its folder: `config.json` and its weights beside it.

use super::{ClassifierConfig, ConfigError, NoisyClassifier};
use crate::models::folder::FolderError;
use crate::models::{WeightsError, weights};
use burn::tensor::Device;
use std::path::PathBuf;
use thiserror::Error;

/// Why a classifier cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("In {}: {source}", .path.display())]
    Folder { path: PathBuf, source: FolderError },
}

impl NoisyClassifier {
    /// The network of `config`, the text of a `config.json`, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        Self::from_parts(config, &[weights], device)
    }

    fn from_parts(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, LoadError> {
        let config = ClassifierConfig::from_json(config)?;
        Ok(weights::load(Self::new(&config, device), parts)?)
    }

    /// Reads a classifier's folder.
    ///
    /// # Errors
    /// As [`load`](Self::load), and a file that is missing or cannot be read.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path, device: &Device) -> Result<Self, LoadError> {
        let (config, weights) = files(dir).map_err(|source| LoadError::Folder { path: dir.to_owned(), source })?;
        Self::from_parts(&config, &weights, device)
    }
}

/// The configuration and the weights in a folder.
#[cfg(not(target_family = "wasm"))]
fn files(dir: &std::path::Path) -> Result<(String, Vec<Vec<u8>>), FolderError> {
    use crate::models::folder::{Directory, Weights};
    let folder = Directory(dir.to_owned());
    let paths = folder.list()?;
    let config = folder.text("config.json")?;
    Ok((config, folder.weights(&Weights::beside("config.json", &paths)?, &paths)?))
}
