//! A classifier from its two files, `config.json` and `diffusion_pytorch_model.safetensors`.

use super::{ClassifierConfig, ConfigError, NoisyClassifier};
use crate::models::{WeightsError, weights};
use burn::tensor::Device;
use thiserror::Error;

/// Why a classifier cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
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
}
