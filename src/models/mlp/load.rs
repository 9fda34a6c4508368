//! A network from its configuration and the bytes of its weights.

use super::{ConfigError, Mlp, MlpConfig};
use crate::models::{WeightsError, weights};
use burn::tensor::Device;
use thiserror::Error;

/// Why a network cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Mlp {
    /// The network of `config`, JSON text, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that cannot be built; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        let config = MlpConfig::from_json(config)?;
        Ok(weights::load(Self::new(&config, device), weights)?)
    }
}
