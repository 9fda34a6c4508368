//! A U-Net from the two files of diffusers' `unet/` folder.

use super::{Unet2d, Unet2dConfig};
use crate::models::{LoadError, weights};
use burn::tensor::Device;

impl Unet2d {
    /// The network of `config`, the text of a `config.json`, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        Self::from_parts(config, &[weights], device)
    }

    /// The same, with weights in any number of safetensors files: one, or shards.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_parts(config: &str, parts: &[impl AsRef<[u8]>], device: &Device) -> Result<Self, LoadError> {
        let config = Unet2dConfig::from_json(config)?;
        Ok(weights::load(Self::new(&config, device), parts)?)
    }
}
