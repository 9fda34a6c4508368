use super::{AutoencoderTiny, AutoencoderTinyConfig};
use crate::models::weights::{self, own_name};
use crate::models::{ConfigError, PartError};
use burn::tensor::Device;

impl AutoencoderTiny {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        let problem = |problem| PartError::Weights { class: "AutoencoderTiny", problem };
        weights::load(Self::unfilled(config, device)?, parts, &own_name).map_err(problem)
    }

    /// The network of `config`, still without weights.
    ///
    /// # Errors
    /// A configuration that this version cannot build.
    pub fn unfilled(config: &str, device: &Device) -> Result<Self, ConfigError> {
        Ok(Self::new(&AutoencoderTinyConfig::from_json(config)?, device))
    }
}
