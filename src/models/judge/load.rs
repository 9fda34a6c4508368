use super::{Judge, JudgeConfig};
use crate::models::PartError;
use crate::models::weights::{self, own_name};
use burn::tensor::Device;

impl Judge {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        let problem = |problem| PartError::Weights { class: "judge", problem };
        weights::load(Self::new(&JudgeConfig::from_json(config)?, device), parts, &own_name).map_err(problem)
    }
}
