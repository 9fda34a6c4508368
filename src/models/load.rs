//! Networks from their configuration and their weights.

use super::keys::ConfigError;
use super::{WeightsError, unet2d};
use thiserror::Error;

/// Why a `UNet2DModel` cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] unet2d::ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// Why another part of a pipeline cannot be used.
#[derive(Debug, Error)]
pub enum PartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{class}: {problem}")]
    Weights { class: &'static str, problem: WeightsError },
}
