use super::{AutoencoderTiny, AutoencoderTinyConfig};
use crate::models::load::{PartError, filled, plan};
use crate::models::weights::{Plan, WeightFiles, own_name};
use burn::tensor::Device;

const CLASS: &str = "AutoencoderTiny";

impl AutoencoderTiny {
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
        let config = AutoencoderTinyConfig::from_json(config)?;
        plan(CLASS, Self::new(&config, device), files, &own_name).await
    }
}
