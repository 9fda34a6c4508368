use super::{ClipText, ClipTextConfig};
use crate::models::weights;
use crate::models::{ConfigError, PartError};
use burn::tensor::Device;

impl ClipText {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        let problem = |problem| PartError::Weights { class: "CLIPTextModel", problem };
        weights::load(Self::unfilled(config, device)?, parts, &Self::parameter).map_err(problem)
    }

    /// The network of `config`, still without weights.
    ///
    /// # Errors
    /// A configuration that this version cannot build.
    pub fn unfilled(config: &str, device: &Device) -> Result<Self, ConfigError> {
        Ok(Self::new(&ClipTextConfig::from_json(config)?, device))
    }

    /// The parameter that a file calls `name`. Before version 5 transformers kept the network in a field of the model, and
    /// the numbers of the positions with it.
    pub fn parameter(name: &str) -> Option<String> {
        let name = name.strip_prefix("text_model.").unwrap_or(name);
        (name != "embeddings.position_ids").then(|| name.to_owned())
    }
}
