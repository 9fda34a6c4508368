//! Opening a pipeline's folder.

use super::folder::{Files, Folder, INDEX};
use super::index::{INPAINTING, Index, TEXT_ENCODERS};
use super::preview::Preview;
use super::{Conditioning, Latents, Network, PipelineError, Source, TextEncoder, TextEncoders, scheduler};
use crate::denoise::{Clip, Prediction};
use crate::interchange::{Scalings, diffusers};
use crate::math::Schedule;
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::models::autoencoder_tiny::AutoencoderTiny;
use crate::models::clip_text::ClipText;
use crate::models::dit::Dit;
use crate::models::folder::Place;
use crate::models::unet2d::{ClassEmbedding, Unet2d};
use crate::models::unet2d_condition::Unet2dCondition;
use crate::models::vq_model::VqModel;
use crate::models::{Card, CardError, Text, legacy_scheduler_config};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A folder of weights, ready to run.
pub struct Pipeline {
    pub network: Network,
    pub latents: Latents,
    pub conditioning: Conditioning,
    /// The process that the network was trained on.
    pub schedule: Schedule,
    /// What its output means.
    pub prediction: Prediction,
    pub card: Card,
    /// Whether its scheduler says how estimates are clipped, since it has no card or draws latents.
    pub scheduler_clips: bool,
    /// What its folder says that estimates of `x_0` are brought into.
    pub clip: Option<Clip>,
    /// How the network is scaled by the noise level, beyond what it predicts.
    pub scalings: Option<Scalings>,
    /// Where its network lies in its folder.
    pub place: Place,
    /// The text that the schedule and the prediction were read from; it also says how diffusers samples.
    pub scheduler_config: String,
    /// Its networks, the one that draws first.
    pub parts: Vec<Part>,
    /// What was assumed where the folder says nothing, a sentence each.
    pub notes: Vec<String>,
    /// Where its weights are.
    pub device: Device,
    /// How latents are shown without decoding them; made when it is first needed.
    pub(crate) preview: OnceLock<Preview>,
    /// What a network that fills holes is given where there is no picture.
    pub(super) blank: OnceLock<Tensor<4>>,
}

/// A network of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its folder.
    pub folder: &'static str,
    /// Its class in diffusers or transformers.
    pub class: &'static str,
    /// Number of trained numbers.
    pub parameters: usize,
    /// Bytes of the files of its weights.
    pub bytes: usize,
}

impl Part {
    fn new((folder, class): (&'static str, &'static str), net: &impl Module, files: &Files) -> Self {
        Self { folder, class, parameters: net.num_params(), bytes: files.bytes() }
    }
}

impl Pipeline {
    /// Reads the folder of a pipeline, or of a `UNet2DModel` alone, and puts its weights on `device`.
    ///
    /// # Errors
    /// A pipeline that is not drawn here; a part that is missing, damaged or cannot be built; parts that do not fit each
    /// other.
    pub async fn open(source: &impl Source, device: &Device) -> Result<Self, PipelineError> {
        let mut folder = Folder::list(source).await?;
        let card = folder.maybe("unnoise.json").await?.map(|json| Card::from_json(&json)).transpose()?;
        if let Some(card) = &card {
            folder.share(&card.parts).await?;
        }
        let index = folder.index().await?;
        // A part that is missing is told before anything large is read.
        index.complete()?;
        let mut parts = Vec::new();
        let (network, place) = network(&folder, &index, &mut parts, device).await?;
        let latents = latents(&folder, &index, &mut parts, device).await?;
        let conditioning = match (index.kind.encoders, network.classes()) {
            (0, Some(_)) => Conditioning::Classes,
            (0, None) => Conditioning::None,
            (encoders, _) => {
                let mut read = Vec::new();
                for (part, tokenizer) in &TEXT_ENCODERS[..encoders] {
                    let place = index.part(part)?;
                    let files = folder.part(place.0).await?;
                    let net = ClipText::load(&files.config, &files.weights, device)?;
                    parts.push(Part::new(place, &net, &files));
                    read.push(TextEncoder { tokenizer: folder.tokenizer(tokenizer).await?, net });
                }
                let mut read = read.into_iter();
                let first = read.next().ok_or_else(|| PipelineError::Missing("text_encoder/".to_owned()))?;
                let [_, height, width] = network.shape();
                let size = [height, width].map(|side| side * latents.factor());
                let encoders = TextEncoders { first, second: read.next(), zeros: index.zeros(), size };
                Conditioning::Text(Box::new(encoders))
            }
        };

        let said = folder.first(&["scheduler/scheduler_config.json", "scheduler_config.json"]).await?;
        let mut notes = Vec::new();
        let said = match (said, &latents) {
            (Some(said), _) => said,
            // What a network of pictures was trained on has a usual answer.
            (None, Latents::Pixels) => {
                notes.push(scheduler::UNSAID_NOTE.to_owned());
                scheduler::UNSAID.to_owned()
            }
            (None, _) => return Err(PipelineError::Missing("scheduler/scheduler_config.json".to_owned())),
        };
        let mut scheduler_config = legacy_scheduler_config(&said);
        if let Some(json) = folder.maybe(INDEX).await? {
            scheduler_config = diffusers::used_by(&json, &scheduler_config);
        }
        let (schedule, prediction) = Schedule::from_scheduler_config(&scheduler_config)?;

        let scheduler_clips = card.is_none() || !matches!(latents, Latents::Pixels);
        let mut card = match card {
            Some(card) => card,
            None => {
                let defaults = diffusers::preset(&scheduler_config).unwrap_or_else(|why| {
                    notes.push(format!("{}: {why}.", scheduler::UNFOLLOWED_NOTE));
                    BTreeMap::new()
                });
                unsaid(&network, &latents, &index, prediction, defaults)
            }
        };
        card.fits(network.classes().unwrap_or(0))?;
        if card.range != [-1.0, 1.0] && !matches!(latents, Latents::Pixels) {
            return Err(CardError(format!("range {:?} is not that of decoded latents, -1 to 1", card.range)).into());
        }
        let bound = scheduler::bound(&scheduler_config, &mut notes);
        let [low, high] = card.range;
        let thresholding = bound.filter(|clip| matches!(clip, Clip::Dynamic { .. }));
        let of_card = card.clip_denoised.then(|| thresholding.unwrap_or(Clip::Range { low, high }));
        let clip = if scheduler_clips { bound } else { of_card };
        card.clip_denoised = clip.is_some();
        let pipeline = Self {
            network,
            latents,
            conditioning,
            schedule,
            prediction,
            card,
            scheduler_clips,
            clip,
            place,
            scalings: Scalings::of(&scheduler_config)?,
            scheduler_config,
            parts,
            notes,
            device: device.clone(),
            preview: OnceLock::new(),
            blank: OnceLock::new(),
        };
        pipeline.fits(&index)?;
        Ok(pipeline)
    }

    /// The same for a folder on disk.
    ///
    /// # Errors
    /// As [`open`](Self::open), and a file that cannot be read.
    ///
    /// # Panics
    /// Never: what is read from a disk is not waited for.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path, device: &Device) -> Result<Self, PipelineError> {
        use futures_util::FutureExt;
        let source = crate::models::folder::Directory(dir.to_owned());
        let opened = Self::open(&source, device).now_or_never().expect("a disk is read without waiting");
        opened.map_err(|error| match error {
            PipelineError::Folder(source) => PipelineError::At { path: dir.display().to_string(), source },
            other => other,
        })
    }

    /// Channels, height and width of what the network draws: pictures or latents.
    pub fn shape(&self) -> [usize; 3] {
        self.network.shape()
    }

    /// Channels, height and width of a picture.
    pub fn picture(&self) -> [usize; 3] {
        let [channels, height, width] = self.shape();
        let factor = self.latents.factor();
        [self.latents.picture_channels().unwrap_or(channels), factor * height, factor * width]
    }

    /// Whether it draws latents.
    pub fn is_latent(&self) -> bool {
        !matches!(self.latents, Latents::Pixels)
    }

    /// Number of classes, 0 for a model without.
    pub fn classes(&self) -> usize {
        self.card.classes.len()
    }

    /// Number of trained parameters of all its parts.
    pub fn parameters(&self) -> usize {
        self.parts.iter().map(|part| part.parameters).sum()
    }

    /// Bytes of the files of its weights.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Whether the parts belong together.
    fn fits(&self, index: &Index) -> Result<(), PipelineError> {
        let unfit = |what: String| Err(PipelineError::Unfit(what));
        if matches!(&self.network, Network::Unet2d(net) if net.config().class_embed_type == ClassEmbedding::Identity) {
            let why = "The network's class_embed_type is \"identity\", so it takes a vector for a class, which no pipeline gives it";
            return unfit(why.to_owned());
        }
        let fills = self.network.hole() > 0;
        if fills && index.kind.class != INPAINTING {
            return unfit(format!("The network fills holes, which a {} does not give it", index.kind.class));
        }
        let ([inputs, ..], outputs) = (self.shape(), self.network.outputs());
        if let Some(latent) = self.latents.channels().filter(|latent| *latent != inputs) {
            return unfit(format!("The network draws {inputs} channels, but the autoencoder's latents have {latent}"));
        }
        if outputs != inputs && outputs != 2 * inputs {
            return Err(PipelineError::Channels { inputs, outputs });
        }
        let (Network::Unet2dCondition(net), Conditioning::Text(text)) = (&self.network, &self.conditioning) else {
            return Ok(());
        };
        let config = net.config();
        let (adds, told) = (config.addition.is_some(), text.second.is_some());
        if adds != told || config.num_class_embeds.is_some() {
            return unfit("The network is conditioned on more, or on less, than this pipeline tells it".to_owned());
        }
        let encoders: Vec<&TextEncoder> = std::iter::once(&text.first).chain(&text.second).collect();
        let width: usize = encoders.iter().map(|encoder| encoder.net.config().hidden_size).sum();
        if let Some(wanted) = config.cross_attention_dim.iter().find(|wanted| **wanted != width) {
            return unfit(format!("The network reads texts {wanted} wide, but the text encoder's are {width}"));
        }
        for TextEncoder { tokenizer, net } in encoders {
            let (tokens, places) = (tokenizer.length(), net.config().max_position_embeddings);
            if tokens > places {
                return unfit(format!("The tokenizer gives {tokens} tokens, but the text encoder takes {places}"));
            }
            let (id, known) = (tokenizer.largest(), net.config().vocab_size);
            if id as usize >= known {
                return unfit(format!("The tokenizer gives token {id}, but the text encoder has only {known}"));
            }
        }
        Ok(())
    }
}

/// The network that draws.
async fn network<S: Source>(
    folder: &Folder<'_, S>,
    index: &Index,
    parts: &mut Vec<Part>,
    device: &Device,
) -> Result<(Network, Place), PipelineError> {
    let place = index.part(&index.kind.network)?;
    let files = folder.network(place.0).await?;
    let lies = Place::of(&files.path, &files.first);
    let network = match place.1 {
        "UNet2DConditionModel" => {
            let net = Unet2dCondition::load(&files.config, &files.weights, device)?;
            parts.push(Part::new(place, &net, &files));
            Network::Unet2dCondition(Box::new(net))
        }
        "DiTTransformer2DModel" | "Transformer2DModel" => {
            let net = Dit::load(&files.config, &files.weights, device)?;
            parts.push(Part::new(place, &net, &files));
            Network::Dit(Box::new(net))
        }
        _ => {
            let net = Unet2d::from_parts(&files.config, &files.weights, device)?;
            parts.push(Part::new(place, &net, &files));
            Network::Unet2d(Box::new(net))
        }
    };
    Ok((network, lies))
}

/// What lies between the network and pictures.
async fn latents<S: Source>(
    folder: &Folder<'_, S>,
    index: &Index,
    parts: &mut Vec<Part>,
    device: &Device,
) -> Result<Latents, PipelineError> {
    let Some(decoder) = &index.kind.decoder else { return Ok(Latents::Pixels) };
    let place = index.part(decoder)?;
    let files = folder.part(place.0).await?;
    Ok(match place.1 {
        "VQModel" => {
            let net = VqModel::load(&files.config, &files.weights, device)?;
            parts.push(Part::new(place, &net, &files));
            Latents::Vq(Box::new(net))
        }
        "AutoencoderTiny" => {
            let net = AutoencoderTiny::load(&files.config, &files.weights, device)?;
            parts.push(Part::new(place, &net, &files));
            Latents::Tiny(Box::new(net))
        }
        _ => {
            let net = AutoencoderKl::load(&files.config, &files.weights, device)?;
            parts.push(Part::new(place, &net, &files));
            Latents::Kl(Box::new(net))
        }
    })
}

/// What can be said of a folder without a card: it starts as its pipeline in diffusers draws.
fn unsaid(
    network: &Network,
    latents: &Latents,
    index: &Index,
    prediction: Prediction,
    mut defaults: BTreeMap<String, Value>,
) -> Card {
    let null_class = match network {
        // Its class embedding has one row more than there are classes.
        Network::Dit(net) => Some(net.config().num_embeds_ada_norm),
        _ => None,
    };
    let classes = null_class.or(network.classes()).unwrap_or(0);
    if index.kind.guidance != 1.0 {
        defaults.insert("guidance".to_owned(), Value::from(index.kind.guidance));
    }
    if !matches!(latents, Latents::Pixels) {
        defaults.insert("images".to_owned(), Value::from(1));
    }
    // The pipeline of a score of such a process alone shows values of 0 to 1.
    let range = if prediction == Prediction::Score { [0.0, 1.0] } else { [-1.0, 1.0] };
    let mut card = Card { null_class, defaults, range, ..Card::unsaid(classes) };
    for (number, name) in index.labels() {
        if let Some(class) = card.classes.get_mut(number) {
            *class = Text { en: name.to_owned(), zh: name.to_owned() };
        }
    }
    card
}
