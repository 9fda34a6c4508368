//! A network from its configuration and the bytes of its weights.

use super::{ConfigError, Mlp, MlpConfig};
use crate::models::WeightsError;
use crate::models::weights::{self, own_name};
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
    /// The network of `config` with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// Weights that are damaged or belong to another configuration.
    pub fn with_weights(config: &MlpConfig, weights: &[u8], device: &Device) -> Result<Self, WeightsError> {
        weights::load(Self::new(config, device), &[weights], &own_name)
    }
}
