//! A classifier from its two files, `config.json` and `diffusion_pytorch_model.safetensors`.

use super::{ClassifierConfig, ConfigError, NoisyClassifier};
use crate::models::{WeightsError, weights};
use burn::tensor::Device;
use thiserror::Error;

/// The file of the weights.
#[cfg(not(target_family = "wasm"))]
const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";

/// Why a classifier cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[cfg(not(target_family = "wasm"))]
    #[error("{} cannot be read ({source}); a classifier's folder has config.json and {WEIGHTS}.", path.display())]
    File { path: std::path::PathBuf, source: std::io::Error },
}

impl NoisyClassifier {
    /// The network of `config`, the text of a `config.json`, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        let config = ClassifierConfig::from_json(config)?;
        Ok(weights::load(Self::new(&config, device), weights)?)
    }

    /// Reads a classifier's folder.
    ///
    /// # Errors
    /// As [`load`](Self::load), and a file that is missing or cannot be read.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path, device: &Device) -> Result<Self, LoadError> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read(&path).map_err(|source| LoadError::File { path, source })
        };
        let config = String::from_utf8_lossy(&read("config.json")?).into_owned();
        Self::load(&config, &read(WEIGHTS)?, device)
    }
}
