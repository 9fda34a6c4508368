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
    /// `latents_mean` and `latents_std`: the mean and the standard deviation of each channel of latents, with which
    /// pipelines like SDXL's normalise them.
    pub statistics: Option<[Vec<f32>; 2]>,
}

impl AutoencoderKlConfig {
    /// Reads the JSON text of a configuration. Keys that it lacks have diffusers' defaults.
    ///
    /// # Errors
    /// Text that is no JSON object, a key that is not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut k = Keys::read("AutoencoderKL", json)?;
        let coder = CoderConfig::take(&mut k, 4)?;
        let config = Self {
            statistics: statistics(&mut k, coder.latent_channels)?,
            coder,
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

/// The statistics of each of so many channels, where they are given.
fn statistics(k: &mut Keys, channels: usize) -> Result<Option<[Vec<f32>; 2]>, ConfigError> {
    let supported = "null, or a number for each channel of the latents";
    let mean = k.take("latents_mean", Value::Null, supported, |v: &Option<Vec<f32>>| {
        v.as_ref().is_none_or(|v| v.len() == channels)
    })?;
    let std = k.take("latents_std", Value::Null, "null, or a number above 0 for each channel of the latents", |v| {
        let given: &Option<Vec<f32>> = v;
        given.as_ref().is_none_or(|v| v.len() == channels && v.iter().all(|std| *std > 0.0))
    })?;
    // diffusers uses neither without the other.
    Ok(mean.zip(std).map(|(mean, std)| [mean, std]))
}
