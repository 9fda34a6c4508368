//! Opening a pipeline's folder.

use super::folder::Folder;
use super::index::Index;
use super::parts::{self, Needs, Part, Plans};
use super::preview::Preview;
use super::{Conditioning, Latents, Network, PipelineError, Source, TextEncoder, scheduler};
use crate::backend;
use crate::denoise::{Clip, Prediction};
use crate::interchange::{Scalings, diffusers};
use crate::math::Schedule;
use crate::models::folder::Place;
use crate::models::unet2d::ClassEmbedding;
use crate::models::{Card, CardError, Text, legacy_scheduler_config};
use burn::tensor::{Device, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A folder of weights, ready to run.
pub struct Pipeline {
    /// The class of the pipeline in diffusers.
    pub class: &'static str,
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

impl Pipeline {
    /// Reads the folder of a pipeline, or of a `UNet2DModel` alone, and puts its weights on `device`.
    ///
    /// # Errors
    /// A pipeline that is not drawn here; a part that is missing, damaged or cannot be built; parts that do not fit each
    /// other.
    pub async fn open(source: &impl Source, device: &Device) -> Result<Self, PipelineError> {
        let mut folder = Folder::list(source).await?;
        let (mut pipeline, mut plans) = Self::planned(&mut folder, device).await?;
        plans.fit(&backend::limits(device))?;
        pipeline.fill(plans).await?;
        Ok(pipeline)
    }

    /// What [`open`](Self::open) would read and need, of which it reads only texts and the headers of weights.
    ///
    /// # Errors
    /// As `open`, but for what is wrong with the values of tensors.
    pub async fn needs(source: &impl Source, device: &Device) -> Result<Needs, PipelineError> {
        let mut folder = Folder::list(source).await?;
        let (_, mut plans) = Self::planned(&mut folder, device).await?;
        plans.fit(&backend::limits(device))?;
        Ok(plans.needs())
    }

    /// The pipeline without weights, and how its networks are filled. What cannot be used is told here, before anything
    /// large is read.
    pub(super) async fn planned<'a, S: Source>(
        folder: &'a mut Folder<'_, S>,
        device: &Device,
    ) -> Result<(Self, Plans<'a>), PipelineError> {
        let card = folder.maybe("unnoise.json").await?.map(|json| Card::from_json(&json)).transpose()?;
        if let Some(card) = &card {
            folder.share(&card.parts).await?;
        }
        let folder = &*folder;
        let index = folder.index().await?;
        index.complete()?;
        let mut plans = Plans::default();
        let (network, place) = parts::network(folder, &index, &mut plans, device).await?;
        let latents = parts::latents(folder, &index, &mut plans, device).await?;
        let conditioning = parts::conditioning(folder, &index, &mut plans, &network, &latents, device).await?;

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
        let scheduler_config = index.kind.scheduler.of(&legacy_scheduler_config(&said));
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
            class: index.kind.class,
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
            parts: plans.parts(),
            notes,
            device: device.clone(),
            preview: OnceLock::new(),
            blank: OnceLock::new(),
        };
        pipeline.fits(&index)?;
        Ok((pipeline, plans))
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

    /// The least height and width of pictures that it can draw, and what both are multiples of; `None` where it draws pictures
    /// of one size alone.
    pub fn sizes(&self) -> Option<[usize; 2]> {
        let factor = self.latents.factor();
        self.network.sizes().map(|sizes| sizes.map(|side| side * factor))
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
    pub fn bytes(&self) -> u64 {
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
        if fills && !index.kind.fills_holes {
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
    if let Some(steps) = index.kind.steps {
        defaults.insert("steps".to_owned(), Value::from(steps));
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
