use super::{AutoencoderTiny, AutoencoderTinyConfig};
use crate::models::load::PartError;
use crate::models::weights;
use burn::tensor::Device;

impl AutoencoderTiny {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        let config = AutoencoderTinyConfig::from_json(config)?;
        let problem = |problem| PartError::Weights { class: "AutoencoderTiny", problem };
        weights::load(Self::new(&config, device), parts).map_err(problem)
    }
}
