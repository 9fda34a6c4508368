use super::{Dit, DitConfig};
use crate::models::weights::{self, own_name};
use crate::models::{ConfigError, PartError};
use burn::tensor::Device;

impl Dit {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        let problem = |problem| PartError::Weights { class: "DiTTransformer2DModel", problem };
        weights::load(Self::unfilled(config, device)?, parts, &own_name).map_err(problem)
    }

    /// The network of `config`, still without weights.
    ///
    /// # Errors
    /// A configuration that this version cannot build.
    pub fn unfilled(config: &str, device: &Device) -> Result<Self, ConfigError> {
        Ok(Self::new(&DitConfig::from_json(config)?, device))
    }
}
