use crate::models::autoencoder::CoderConfig;
use crate::models::keys::{ConfigError, Keys};
use serde_json::Value;

/// `vqvae/config.json` of diffusers' `VQModel`. Fields are named as there and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct VqModelConfig {
    pub coder: CoderConfig,
    pub num_vq_embeddings: usize,
    /// Width of a vector of the codebook.
    pub vq_embed_dim: usize,
}

impl VqModelConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("VQModel", json)?;
        k.only("norm_type", &[Value::from("group")])?;
        k.only("lookup_from_codebook", &[Value::from(false)])?;
        let coder = CoderConfig::take(&mut k, 3)?;
        let config = Self {
            num_vq_embeddings: k.count("num_vq_embeddings", 256, 1_000_000)?,
            vq_embed_dim: k.maybe("vq_embed_dim", 4096)?.unwrap_or(coder.latent_channels),
            coder,
        };
        k.all_taken()?;
        Ok(config)
    }
}
