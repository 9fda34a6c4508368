//! The files of a pipeline, some of which may lie in the folder of another one.

use super::index::Index;
use super::text::{Tokenizer, TokenizerFiles};
use super::{PipelineError, Source};
use crate::models::WeightFiles;
use crate::models::folder::{self, FolderError, Weights};
use serde_json::Value;
use std::collections::BTreeMap;

/// A source with the paths of its files.
pub struct Folder<'a, S> {
    source: &'a S,
    files: Vec<String>,
    /// Parts that lie beside this folder: theirs, their source and its files.
    elsewhere: Vec<(String, S, Vec<String>)>,
}

/// The configuration of a network, and where its weights are.
pub struct Files<'a> {
    /// The text of the configuration, and its path.
    pub config: String,
    pub path: String,
    /// The path of the weights, or of their first file or their index.
    pub first: String,
    pub weights: WeightFiles<'a>,
}

/// The file that names the parts.
pub const INDEX: &str = "model_index.json";

impl<'a, S: Source> Folder<'a, S> {
    pub async fn list(source: &'a S) -> Result<Self, FolderError> {
        Ok(Self { source, files: source.list().await?, elsewhere: Vec::new() })
    }

    /// Takes these parts from the folders of other models: a part's folder, and the name of the other model's.
    pub async fn share(&mut self, parts: &BTreeMap<String, String>) -> Result<(), PipelineError> {
        for (part, name) in parts {
            let other = self.source.beside(name);
            let in_other = |source| PipelineError::At { path: name.clone(), source };
            let mut files = other.list().await.map_err(in_other)?;
            files.retain(|path| path.strip_prefix(part.as_str()).is_some_and(|rest| rest.starts_with('/')));
            if files.is_empty() {
                return Err(PipelineError::Missing(format!(
                    "{part}/ in the folder {name} beside it, which its card names"
                )));
            }
            self.files.retain(|path| !files.contains(path));
            self.files.extend(files.iter().cloned());
            self.elsewhere.push((part.clone(), other, files));
        }
        Ok(())
    }

    /// What the folder is made of: what its index says, or what its parts are.
    pub async fn index(&self) -> Result<Index, PipelineError> {
        if let Some(json) = self.maybe(INDEX).await? {
            return Ok(Index::read(&json)?);
        }
        let config = folder::network_config(&self.files)?;
        let network = config.strip_suffix("/config.json").unwrap_or("unet");
        // What is no other network that is known here is a UNet2DModel, or refused as none.
        let class = class_name(&self.text(&config).await?).filter(|class| OTHER_NETWORKS.contains(&&**class));
        let mut parts = vec![(network, class.unwrap_or_else(|| "UNet2DModel".to_owned()))];
        for part in ["vae", "vqvae", "text_encoder", "text_encoder_2"] {
            if let Some(json) = self.maybe(&format!("{part}/config.json")).await? {
                parts.extend(class_name(&json).map(|class| (part, class)));
            }
        }
        Ok(Index::of_parts(&parts))
    }

    /// The first of these files that is there.
    pub async fn first(&self, paths: &[&str]) -> Result<Option<String>, PipelineError> {
        match folder::first(&self.files, paths) {
            Some(path) => self.maybe(&path).await,
            None => Ok(None),
        }
    }

    pub async fn maybe(&self, path: &str) -> Result<Option<String>, PipelineError> {
        match self.files.iter().any(|file| file == path) {
            true => Ok(Some(folder::text(&self.read(path).await?))),
            false => Ok(None),
        }
    }

    /// The configuration and the weights of the pipeline's network, which may lie at the root.
    pub async fn network(&self, part: &str) -> Result<Files<'_>, PipelineError> {
        let own = format!("{part}/config.json");
        match folder::first(&self.files, &[&own]) {
            Some(config) => self.beside(&config).await,
            None => self.beside(&folder::network_config(&self.files)?).await,
        }
    }

    /// The configuration and the weights of another network.
    pub async fn part(&self, part: &str) -> Result<Files<'_>, PipelineError> {
        self.beside(&format!("{part}/config.json")).await
    }

    /// The tokenizer in this folder.
    pub async fn tokenizer(&self, part: &str) -> Result<Tokenizer, PipelineError> {
        let file = async |name: &str| self.maybe(&format!("{part}/{name}")).await;
        Ok(Tokenizer::load(&TokenizerFiles {
            vocab: file("vocab.json").await?,
            merges: file("merges.txt").await?,
            tokenizer: file("tokenizer.json").await?,
            config: file("tokenizer_config.json").await?,
            special_tokens: file("special_tokens_map.json").await?,
            added_tokens: file("added_tokens.json").await?,
        })?)
    }

    async fn beside(&self, config: &str) -> Result<Files<'_>, PipelineError> {
        let text = self.text(config).await?;
        // The name that transformers gives to weights, beside which others may stand.
        let plain = config.replace("config.json", "model.safetensors");
        let weights = match self.files.contains(&plain) {
            true => Weights::Files(vec![plain]),
            false => Weights::beside(config, &self.files)?,
        };
        let first = match &weights {
            Weights::Files(paths) => paths.first().cloned().unwrap_or_default(),
            Weights::Index(index) => index.clone(),
        };
        let source = self.holder(config);
        let paths = weights.paths(source, &self.files).await?;
        let weights = WeightFiles::of(source, paths).await?;
        Ok(Files { config: text, path: config.to_owned(), first, weights })
    }

    async fn text(&self, path: &str) -> Result<String, PipelineError> {
        self.maybe(path).await?.ok_or_else(|| PipelineError::Missing(path.to_owned()))
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        self.holder(path).read(path).await
    }

    /// The source of the file at `path`.
    fn holder(&self, path: &str) -> &S {
        let other = self.elsewhere.iter().find(|(.., files)| files.iter().any(|file| file == path));
        other.map_or(self.source, |(_, source, _)| source)
    }
}

/// Networks of pipelines beside the one of pictures.
const OTHER_NETWORKS: [&str; 3] = ["UNet2DConditionModel", "DiTTransformer2DModel", "Transformer2DModel"];

/// The class that a configuration names, as diffusers or as transformers writes it.
fn class_name(json: &str) -> Option<String> {
    let config: Value = serde_json::from_str(json).ok()?;
    let class = config["_class_name"].as_str().or(config["architectures"][0].as_str());
    class.map(str::to_owned)
}
