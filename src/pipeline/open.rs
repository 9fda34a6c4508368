//! Opening a pipeline's folder.

use super::index::{Index, IndexError, TEXT_ENCODER};
use super::text::{Tokenizer, TokenizerError, TokenizerFiles};
use super::{Conditioning, Latents, Network, Source, TextEncoder};
use crate::denoise::Prediction;
use crate::interchange::scheduler_config;
use crate::math::Schedule;
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::models::clip_text::ClipText;
use crate::models::dit::Dit;
use crate::models::folder::{FolderError, Weights, shards};
use crate::models::unet2d::Unet2d;
use crate::models::unet2d_condition::Unet2dCondition;
use crate::models::vq_model::VqModel;
use crate::models::{LoadError, PartError};
use burn::tensor::Device;
use thiserror::Error;

/// A folder of weights, ready to run.
pub struct Pipeline {
    pub network: Network,
    pub latents: Latents,
    pub conditioning: Conditioning,
    /// The process that the network was trained on.
    pub schedule: Schedule,
    /// What its output means.
    pub prediction: Prediction,
    /// The text that the two were read from; it also says how diffusers samples.
    pub scheduler_config: String,
}

/// Why a folder cannot be opened as a pipeline.
#[derive(Debug, Error)]
pub enum PipelineError {
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
    #[error("The pipeline's schedule cannot be used: {0}.")]
    Schedule(#[from] scheduler_config::ConfigError),
    #[error("The folder lacks {0}; a pipeline is what save_pretrained of diffusers writes.")]
    Missing(String),
    #[error("{0}.")]
    Unfit(String),
    #[error("The tokenizer gives token {id}, but the text encoder has only {known}; they are not of the same model.")]
    Token { id: u32, known: usize },
}

impl Pipeline {
    /// Reads the folder of a pipeline and puts its weights on `device`.
    ///
    /// # Errors
    /// A pipeline that is not drawn here, a part that is missing, damaged or cannot be built, parts that do not fit each
    /// other.
    pub async fn open(source: &impl Source, device: &Device) -> Result<Self, PipelineError> {
        let folder = Folder { files: source.list().await?, source };
        let index = Index::read(&folder.text("model_index.json").await?)?;
        let (part, class) = index.part(&index.kind.network)?;
        let (config, weights) = folder.part(part).await?;
        let network = match class {
            "UNet2DModel" => Network::Unet2d(Box::new(Unet2d::from_parts(&config, &weights, device)?)),
            "UNet2DConditionModel" => {
                Network::Unet2dCondition(Box::new(Unet2dCondition::load(&config, &weights, device)?))
            }
            _ => Network::Dit(Box::new(Dit::load(&config, &weights, device)?)),
        };
        let latents = match &index.kind.decoder {
            None => Latents::Pixels,
            Some(decoder) => {
                let (part, class) = index.part(decoder)?;
                let (config, weights) = folder.part(part).await?;
                match class {
                    "VQModel" => Latents::Vq(Box::new(VqModel::load(&config, &weights, device)?)),
                    _ => Latents::Kl(Box::new(AutoencoderKl::load(&config, &weights, device)?)),
                }
            }
        };
        let conditioning = match (&network, index.kind.text) {
            (_, true) => {
                let (part, _) = index.part(&TEXT_ENCODER)?;
                let (config, weights) = folder.part(part).await?;
                let net = ClipText::load(&config, &weights, device)?;
                Conditioning::Text(Box::new(TextEncoder { tokenizer: folder.tokenizer().await?, net }))
            }
            (Network::Dit(net), false) => {
                let count = net.config().num_embeds_ada_norm;
                Conditioning::Classes { count, null: Some(count) }
            }
            (network, false) => match network.classes() {
                Some(count) => Conditioning::Classes { count, null: None },
                None => Conditioning::None,
            },
        };
        let scheduler_config = folder.text("scheduler/scheduler_config.json").await?;
        let (schedule, prediction) = Schedule::from_scheduler_config(&scheduler_config)?;
        let pipeline = Self { network, latents, conditioning, schedule, prediction, scheduler_config };
        pipeline.fits()?;
        Ok(pipeline)
    }

    /// Channels, height and width of a picture.
    pub fn picture(&self) -> [usize; 3] {
        let [channels, height, width] = self.network.shape();
        let factor = self.latents.factor();
        let channels = match &self.latents {
            Latents::Pixels => channels,
            Latents::Kl(net) => net.config().coder.out_channels,
            Latents::Vq(net) => net.config().coder.out_channels,
        };
        [channels, factor * height, factor * width]
    }

    /// Whether the parts belong together.
    fn fits(&self) -> Result<(), PipelineError> {
        let unfit = |what: String| Err(PipelineError::Unfit(what));
        let ([channels, ..], outputs) = (self.network.shape(), self.network.outputs());
        if let Some(latent) = self.latents.channels().filter(|latent| *latent != channels) {
            return unfit(format!(
                "The network draws {channels} channels, but the autoencoder's latents have {latent}"
            ));
        }
        if outputs != channels && outputs != 2 * channels {
            return unfit(format!(
                "The network gives {outputs} channels for {channels}, but a denoiser gives as many, or twice as many with a learned variance"
            ));
        }
        let (Network::Unet2dCondition(net), Conditioning::Text(text)) = (&self.network, &self.conditioning) else {
            return Ok(());
        };
        let (config, encoder) = (net.config(), text.net.config());
        if config.addition.is_some() || config.time_cond_proj_dim.is_some() || config.num_class_embeds.is_some() {
            return unfit(
                "The network is conditioned on more than a text, which no StableDiffusionPipeline does".to_owned(),
            );
        }
        let width = encoder.hidden_size;
        if let Some(wanted) = config.cross_attention_dim.iter().find(|wanted| **wanted != width) {
            return unfit(format!("The network reads texts {wanted} wide, but the text encoder's are {width}"));
        }
        let (tokens, places) = (text.tokenizer.length(), encoder.max_position_embeddings);
        if tokens > places {
            return unfit(format!("The tokenizer gives {tokens} tokens, but the text encoder takes {places}"));
        }
        Ok(())
    }
}

/// A source and what it holds.
struct Folder<'a, S> {
    files: Vec<String>,
    source: &'a S,
}

impl<S: Source> Folder<'_, S> {
    async fn text(&self, path: &str) -> Result<String, PipelineError> {
        self.maybe(path).await?.ok_or_else(|| PipelineError::Missing(path.to_owned()))
    }

    async fn maybe(&self, path: &str) -> Result<Option<String>, PipelineError> {
        if !self.files.iter().any(|file| file == path) {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&self.source.read(path).await?).into_owned()))
    }

    /// The configuration and the weights of a network.
    async fn part(&self, folder: &str) -> Result<(String, Vec<Vec<u8>>), PipelineError> {
        let config = format!("{folder}/config.json");
        // The name that transformers gives to weights, beside which others may stand.
        let plain = format!("{folder}/model.safetensors");
        let weights = match self.files.contains(&plain) {
            true => Weights::Files(vec![plain]),
            false => Weights::beside(&config, &self.files)?,
        };
        let paths = match weights {
            Weights::Files(paths) => paths,
            Weights::Index(index) => shards(&index, &self.text(&index).await?, &self.files)?,
        };
        let mut parts = Vec::new();
        for path in paths {
            parts.push(self.source.read(&path).await?);
        }
        Ok((self.text(&config).await?, parts))
    }

    async fn tokenizer(&self) -> Result<Tokenizer, PipelineError> {
        let file = async |name: &str| self.maybe(&format!("tokenizer/{name}")).await;
        Ok(Tokenizer::load(&TokenizerFiles {
            vocab: file("vocab.json").await?,
            merges: file("merges.txt").await?,
            tokenizer: file("tokenizer.json").await?,
            config: file("tokenizer_config.json").await?,
            special_tokens: file("special_tokens_map.json").await?,
            added_tokens: file("added_tokens.json").await?,
        })?)
    }
}
