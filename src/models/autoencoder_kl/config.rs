use crate::models::autoencoder::CoderConfig;
use crate::models::keys::{ConfigError, Keys};
use serde_json::Value;

/// `vae/config.json` of diffusers' `AutoencoderKL`. Fields are named as there and mean the same.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoencoderKlConfig {
    pub coder: CoderConfig,
    /// What is added to latents before they are decoded.
    pub shift_factor: f64,
    pub use_quant_conv: bool,
    pub use_post_quant_conv: bool,
}

impl AutoencoderKlConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("AutoencoderKL", json)?;
        k.only("latents_mean", &[Value::Null])?;
        k.only("latents_std", &[Value::Null])?;
        let config = Self {
            coder: CoderConfig::take(&mut k, 4)?,
            shift_factor: k
                .take("shift_factor", Value::Null, "null or a number", |v: &Option<f64>| v.is_none_or(f64::is_finite))?
                .unwrap_or(0.0),
            use_quant_conv: k.flag("use_quant_conv", true)?,
            use_post_quant_conv: k.flag("use_post_quant_conv", true)?,
        };
        k.all_taken()?;
        Ok(config)
    }
}
