//! A classifier from its folder: `config.json` and its weights beside it.

use super::{ClassifierConfig, ConfigError, NoisyClassifier};
use crate::models::folder::{self, FolderError, Weights};
use crate::models::weights::{self, Plan, Wanted, WeightFiles, own_name};
use crate::models::{Source, WeightsError};
use burn::tensor::Device;
use std::path::PathBuf;
use thiserror::Error;

/// Why a classifier cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("In {}: {source}", .path.display())]
    At { path: PathBuf, source: FolderError },
}

const CONFIG: &str = "config.json";

impl NoisyClassifier {
    /// The network of `config`, the text of a `config.json`, with `weights`, the bytes of a safetensors file.
    ///
    /// # Errors
    /// A configuration that this version cannot build; weights that are damaged or belong to another configuration.
    pub fn load(config: &str, weights: &[u8], device: &Device) -> Result<Self, LoadError> {
        let config = ClassifierConfig::from_json(config)?;
        Ok(weights::load(Self::new(&config, device), &[weights], &own_name)?)
    }

    /// Reads the folder of a classifier.
    ///
    /// # Errors
    /// As [`load`](Self::load), and a file that is missing or cannot be read.
    pub async fn open(source: &impl Source, device: &Device) -> Result<Self, LoadError> {
        let paths = source.list().await?;
        let config = ClassifierConfig::from_json(&folder::text(&source.read(CONFIG).await?))?;
        let paths = Weights::beside(CONFIG, &paths)?.paths(source, &paths).await?;
        let net = Self::new(&config, device);
        let plan = Plan::new(Wanted::of(&net), WeightFiles::of(source, paths).await?, &own_name).await?;
        Ok(plan.read(false).await?.fill(net))
    }

    /// The same for a folder on disk.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    ///
    /// # Panics
    /// Never: what is read from a disk is not waited for.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path, device: &Device) -> Result<Self, LoadError> {
        use futures_util::FutureExt;
        let folder = folder::Directory(dir.to_owned());
        let opened = Self::open(&folder, device).now_or_never().expect("a disk is read without waiting");
        opened.map_err(|error| match error {
            LoadError::Folder(source) => LoadError::At { path: dir.to_owned(), source },
            other => other,
        })
    }
}
