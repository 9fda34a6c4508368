//! `config.json` of a classifier, in the manner of diffusers.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// What a [`NoisyClassifier`](super::NoisyClassifier) is built from. Fields that diffusers' `UNet2DModel` has too are
/// named and mean as there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    pub in_channels: usize,
    /// Number of classes, and so of logits.
    pub num_classes: usize,
    /// Channels of each level, from the picture's size down; each level halves the size.
    pub block_out_channels: Vec<usize>,
    #[serde(default = "defaults::layers_per_block")]
    pub layers_per_block: usize,
    #[serde(default = "defaults::norm_num_groups")]
    pub norm_num_groups: usize,
    #[serde(default = "defaults::norm_eps")]
    pub norm_eps: f64,
}

/// The values that diffusers' `UNet2DModel` has for keys that are absent.
mod defaults {
    pub fn layers_per_block() -> usize {
        2
    }

    pub fn norm_num_groups() -> usize {
        32
    }

    pub fn norm_eps() -> f64 {
        1e-5
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("The classifier's config.json is not one: {0}.")]
    Json(String),
    #[error("The classifier's config.json sets {key} to {got}; supported is {supported}.")]
    Refused { key: &'static str, got: String, supported: &'static str },
}

impl ClassifierConfig {
    /// Reads the JSON text of a configuration. Keys that begin with an underscore are notes.
    ///
    /// # Errors
    /// Text that is no JSON object; a key that is missing or unknown; a value that cannot be built, or that is too large
    /// to be meant.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let not_one = |e: serde_json::Error| ConfigError::Json(e.to_string());
        let mut value: Value = serde_json::from_str(json).map_err(not_one)?;
        if let Value::Object(keys) = &mut value {
            keys.retain(|key, _| !key.starts_with('_'));
        }
        let config: Self = serde_json::from_value(value).map_err(not_one)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, got: String, supported| Err(ConfigError::Refused { key, got, supported });
        let channels = &self.block_out_channels;
        let levels = (1..=8).contains(&channels.len()) && channels.iter().all(|c| (2..=4096).contains(c));
        if !(1..=64).contains(&self.in_channels) {
            refuse("in_channels", self.in_channels.to_string(), "a number from 1 to 64")
        } else if !(1..=100_000).contains(&self.num_classes) {
            refuse("num_classes", self.num_classes.to_string(), "a number from 1 to 100000")
        } else if !levels {
            refuse("block_out_channels", format!("{channels:?}"), "a list of 1 to 8 numbers from 2 to 4096")
        } else if !(1..=16).contains(&self.layers_per_block) {
            refuse("layers_per_block", self.layers_per_block.to_string(), "a number from 1 to 16")
        } else if self.norm_num_groups == 0 || channels.iter().any(|c| !c.is_multiple_of(self.norm_num_groups)) {
            let supported = "a number that divides the channels of every level";
            refuse("norm_num_groups", self.norm_num_groups.to_string(), supported)
        } else if !(self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            refuse("norm_eps", self.norm_eps.to_string(), "a number above 0 and below 1")
        } else {
            Ok(())
        }
    }
}
