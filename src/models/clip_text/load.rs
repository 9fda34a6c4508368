use super::{ClipText, ClipTextConfig};
use crate::models::load::{PartError, filled, plan};
use crate::models::weights::{Plan, WeightFiles};
use burn::tensor::Device;

const CLASS: &str = "CLIPTextModel";

impl ClipText {
    /// The network of `config`, the text of a `config.json`, with weights in any number of safetensors files.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, PartError> {
        filled(CLASS, Self::plan(config, WeightFiles::in_memory(parts), device))
    }

    /// The network of `config`, still without weights, and how `files` fill it.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights whose headers are damaged or belong to another one.
    pub async fn plan<'a>(
        config: &str,
        files: WeightFiles<'a>,
        device: &Device,
    ) -> Result<(Self, Plan<'a>), PartError> {
        let config = ClipTextConfig::from_json(config)?;
        plan(CLASS, Self::new(&config, device), files, &name).await
    }
}

/// Before version 5 transformers kept the network in a field of the model, and the numbers of the positions with it.
fn name(name: &str) -> Option<String> {
    let name = name.strip_prefix("text_model.").unwrap_or(name);
    (name != "embeddings.position_ids").then(|| name.to_owned())
}
