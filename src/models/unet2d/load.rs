//! A U-Net from the two files of diffusers' `unet/` folder.

use super::{ConfigError, Unet2d, Unet2dConfig};
use crate::models::LoadError;
use crate::models::weights::{self, own_name};
use burn::tensor::Device;

impl Unet2d {
    /// The network of `config`, the text of a `config.json`, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        Ok(weights::load(Self::unfilled(config, device)?, &[weights], &own_name)?)
    }

    /// The network of `config`, still without weights.
    ///
    /// # Errors
    /// A configuration that this version cannot build.
    pub fn unfilled(config: &str, device: &Device) -> Result<Self, ConfigError> {
        Ok(Self::new(&Unet2dConfig::from_json(config)?, device))
    }
}
