//! A U-Net from the two files of diffusers' `unet/` folder.

use super::{Unet2d, Unet2dConfig};
use crate::models::LoadError;
use crate::models::weights::{self, Plan, WeightFiles, own_name};
use burn::tensor::Device;

impl Unet2d {
    /// The network of `config`, the text of a `config.json`, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        let config = Unet2dConfig::from_json(config)?;
        Ok(weights::load(Self::new(&config, device), &[weights])?)
    }

    /// The network of `config`, still without weights, and how `files` fill it.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights whose headers are damaged or belong to another one.
    pub async fn plan<'a>(
        config: &str,
        files: WeightFiles<'a>,
        device: &Device,
    ) -> Result<(Self, Plan<'a>), LoadError> {
        let net = Self::new(&Unet2dConfig::from_json(config)?, device);
        let plan = Plan::new(&net, files, &own_name).await?;
        Ok((net, plan))
    }
}
