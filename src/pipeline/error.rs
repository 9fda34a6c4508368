//! Why a folder cannot be opened as a pipeline.

use super::index::IndexError;
use super::text::TokenizerError;
use crate::interchange::scheduler_config;
use crate::models::folder::FolderError;
use crate::models::{CardError, LoadError, PartError};
use thiserror::Error;

/// Why a folder cannot be opened as a pipeline.
#[derive(Debug, Error)]
pub enum PipelineError {
    #[error("In {path}: {source}")]
    At { path: String, source: FolderError },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Part(#[from] PartError),
    #[error(transparent)]
    Network(#[from] LoadError),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error("The model's schedule cannot be used: {0}.")]
    Schedule(#[from] scheduler_config::ConfigError),
    #[error(transparent)]
    Card(#[from] CardError),
    #[error("The folder lacks {0}; a pipeline is what save_pretrained of diffusers writes.")]
    Missing(String),
    #[error(
        "The network's config.json sets out_channels to {outputs} for in_channels {inputs}, but a denoiser gives as many channels as it is given, or twice as many with a learned variance."
    )]
    Channels { inputs: usize, outputs: usize },
    #[error("{0}.")]
    Unfit(String),
    #[error(
        "The weights need {needed} MB of memory, of which a program in a browser can have {limit} MB; draw with the command line, or use a smaller model."
    )]
    TooLarge { needed: u64, limit: u64 },
    #[error(
        "{class}: The tensor {name:?} needs {needed} MB in one piece, of which this graphics card takes {limit} MB; use the CPU backend, or a smaller model."
    )]
    TensorTooLarge { class: &'static str, name: String, needed: u64, limit: u64 },
}
