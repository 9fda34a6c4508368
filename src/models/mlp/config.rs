//! What a network for points of the plane is built from.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use thiserror::Error;

/// The JSON configuration of an [`Mlp`](super::Mlp).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Number of hidden layers.
    pub depth: usize,
    /// Neurons of each.
    pub width: usize,
    /// Frequencies that embed the noise level, a sine and a cosine each.
    #[serde(default = "frequencies")]
    pub frequencies: usize,
    /// Number of classes that a point may have; 0 for a network without.
    #[serde(default)]
    pub num_class_embeds: usize,
    /// Outputs: 2 for a denoiser, the number of classes for a classifier.
    #[serde(default = "outputs")]
    pub outputs: usize,
}

fn frequencies() -> usize {
    8
}

fn outputs() -> usize {
    super::POINT
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("The network's configuration is not one: {0}.")]
    Json(#[from] serde_json::Error),
    #[error("The network's configuration sets {key} to {got}; supported is {} to {}.", .range.start(), .range.end())]
    Refused { key: &'static str, got: usize, range: RangeInclusive<usize> },
}

impl MlpConfig {
    pub const DEPTH: RangeInclusive<usize> = 1..=6;
    pub const WIDTH: RangeInclusive<usize> = 8..=512;
    const FREQUENCIES: RangeInclusive<usize> = 1..=16;
    const CLASSES: RangeInclusive<usize> = 0..=256;
    const OUTPUTS: RangeInclusive<usize> = 1..=256;

    /// A denoiser of `depth` hidden layers of `width` neurons that knows so many classes.
    ///
    /// # Errors
    /// A number out of its range.
    pub fn new(depth: usize, width: usize, num_class_embeds: usize) -> Result<Self, ConfigError> {
        Self { depth, width, frequencies: frequencies(), num_class_embeds, outputs: outputs() }.checked()
    }

    /// A network of `depth` hidden layers of `width` neurons that distinguishes `classes`.
    ///
    /// # Errors
    /// A number out of its range.
    pub fn classifier(depth: usize, width: usize, classes: usize) -> Result<Self, ConfigError> {
        Self { outputs: classes, ..Self::new(depth, width, 0)? }.checked()
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// Text that is no JSON object; a key that is missing or unknown; a number out of its range.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        serde_json::from_str::<Self>(json)?.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let numbers = [
            ("depth", self.depth, Self::DEPTH),
            ("width", self.width, Self::WIDTH),
            ("frequencies", self.frequencies, Self::FREQUENCIES),
            ("num_class_embeds", self.num_class_embeds, Self::CLASSES),
            ("outputs", self.outputs, Self::OUTPUTS),
        ];
        match numbers.into_iter().find(|(_, got, range)| !range.contains(got)) {
            Some((key, got, range)) => Err(ConfigError::Refused { key, got, range }),
            None => Ok(self),
        }
    }

    /// Inputs of the first layer.
    pub(super) fn inputs(&self) -> usize {
        super::POINT + 2 * self.frequencies + self.num_class_embeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_built_is_refused_by_its_key() {
        let fine = MlpConfig::from_json(r#"{"depth": 3, "width": 128, "num_class_embeds": 4}"#).expect("a network");
        assert_eq!(fine, MlpConfig::new(3, 128, 4).expect("the same"));
        for (json, word) in [
            (r#"{"depth": 0, "width": 128}"#, "depth"),
            (r#"{"depth": 3, "width": 100000}"#, "width"),
            (r#"{"depth": 3, "width": 128, "frequencies": 0}"#, "frequencies"),
            (r#"{"depth": 3, "width": 128, "num_class_embeds": 4000}"#, "num_class_embeds"),
            (r#"{"depth": 3, "width": 128, "outputs": 0}"#, "outputs"),
            (r#"{"depth": 3, "width": 128, "heads": 2}"#, "heads"),
            (r#"{"depth": 3}"#, "width"),
            ("3x128", "not one"),
        ] {
            let message = MlpConfig::from_json(json).expect_err(json).to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
