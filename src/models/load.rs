//! Networks from their configuration and their weights.

use super::WeightsError;
use super::keys::ConfigError;
use thiserror::Error;

/// Why a part of a pipeline cannot be used.
#[derive(Debug, Error)]
pub enum PartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{class}: {problem}")]
    Weights { class: &'static str, problem: WeightsError },
}
