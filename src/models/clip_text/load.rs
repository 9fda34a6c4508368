use super::{ClipText, ClipTextConfig};
use crate::models::load::PartError;
use crate::models::weights;
use burn::tensor::Device;

impl ClipText {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        let config = ClipTextConfig::from_json(config)?;
        // Before version 5 transformers kept the network in a field of the model, and the numbers of the positions with
        // it.
        let name = |name: &str| {
            let name = name.strip_prefix("text_model.").unwrap_or(name);
            (name != "embeddings.position_ids").then(|| name.to_owned())
        };
        let problem = |problem| PartError::Weights { class: "CLIPTextModel", problem };
        weights::load_renamed(Self::new(&config, device), parts, name).map_err(problem)
    }
}
