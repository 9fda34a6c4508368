//! A run as a Python script on diffusers.

use super::{SessionError, denoiser};
use crate::denoise::Clip;
use crate::interchange::Unmapped;
use crate::interchange::diffusers;
use crate::interchange::python::{self, Parts, Place, Scripted, Texts, Whole};
use crate::pipeline::{Conditioning, Pipeline};
use crate::settings::{self, Guide, Levels, Settings, Source};
use std::path::Path;
use thiserror::Error;

/// Why there is no script.
#[derive(Debug, Error)]
pub enum ScriptError {
    #[error("diffusers has no {0}")]
    Unknown(&'static str),
    #[error("the script starts from noise, but this run starts from a picture; remove the picture")]
    Picture,
    #[error(
        "this network fills a hole in a picture; name the picture, and the mask of what stays: `unnoise sample --model DIR --image PNG --mask PNG --python`"
    )]
    Hole,
    #[error("a script fills holes at full strength; set strength to 1")]
    Strength,
    #[error("its folder shares parts with another one, where a {0} of diffusers does not look for them")]
    Shared(&'static str),
    #[error(
        "diffusers finds no weights in this folder, as it looks for diffusion_pytorch_model.safetensors; rename them"
    )]
    Weights,
    #[error(transparent)]
    Unmapped(#[from] Unmapped),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Where a script finds what it reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// The model's folder.
    pub folder: &'a str,
    /// The picture that the run starts from, and the mask of what stays of it.
    pub image: Option<&'a str>,
    pub mask: Option<&'a str>,
}

impl<'a> From<&'a str> for Files<'a> {
    fn from(folder: &'a str) -> Self {
        Self { folder, ..Self::default() }
    }
}

/// The script that makes the pictures of these settings with diffusers: the same weights, noise and steps.
///
/// # Errors
/// Why diffusers cannot make them; a class that the model does not have.
pub fn script(model: &Pipeline, settings: &Settings, files: Files<'_>) -> Result<String, ScriptError> {
    let folder = files.folder;
    let method = settings.method::<f64>().map_err(SessionError::Sampler)?;
    let tuning = settings.tuning(&method);
    let everywhere = settings.guidance_range == [0.0, f64::INFINITY];
    if !model.place.found {
        return Err(ScriptError::Weights);
    }
    // At full strength a picture of which nothing stays is forgotten.
    let forgotten = settings.start.picture().is_some_and(|picture| picture.kept().is_none());
    match (model.network.hole() > 0, files.image) {
        (true, None) => return Err(ScriptError::Hole),
        (true, Some(_)) if settings.strength < 1.0 => return Err(ScriptError::Strength),
        (true, Some(_)) => {}
        (false, image) if image.is_some() || settings.strength < 1.0 => return Err(ScriptError::Picture),
        (false, _) if !settings.start.is_noise() && !forgotten => return Err(ScriptError::Picture),
        (false, _) => {}
    }
    let is_weighted = [&settings.prompt, &settings.negative].iter().any(|text| {
        let prompt = settings.prompt_of(text);
        !prompt.text.is_empty() && !prompt.is_plain()
    });
    for (is_ours, what) in [
        (settings.legs().len() > 1, "run that goes on from a step of another one"),
        (settings.guide != Guide::Cfg, "such guidance"),
        (settings.blend > 0.0, "blend of prompts or classes"),
        (settings.variation > 0.0, "noise on the way to another seed's"),
        (settings.rescale > 0.0, "rescaling of guidance like this one"),
        (settings.classifier > 0.0, "guidance by a classifier like this one"),
        (!everywhere, "interval of guidance like this one"),
        (is_weighted, "weighting of words like this one"),
        (
            settings.schedule != Levels::Model && matches!(denoiser::clip(settings, model), Some(Clip::Dynamic { .. })),
            "dynamic thresholding that keeps to this sampler's steps",
        ),
        (settings.noise == Source::Brownian && method.stochastic_with(&tuning), "Brownian path like this one"),
    ] {
        if is_ours {
            return Err(ScriptError::Unknown(what));
        }
    }
    let (labels, guidance) = denoiser::conditions(settings, model)?;
    let clip = denoiser::clip(settings, model);
    let bound = diffusers::describe(&model.scheduler_config).ok().and_then(|described| described.mapped.bound);
    let clips_as_scheduler = match bound {
        // A card says what its pictures are, but not that an implied noise goes with them.
        Some(bound) => settings.clip == settings::Clip::Model && model.scheduler_clips && clip == Some(bound.clip),
        None => clip.is_none(),
    };
    Ok(python::script(&Scripted {
        sampler: method.id,
        tuning,
        spacing: match &settings.schedule {
            Levels::Model => None,
            Levels::Spaced(spacing) => Some(spacing),
        },
        steps: settings.schedule.steps().unwrap_or(settings.steps),
        seed: settings.seed,
        labels: &labels,
        null_class: model.card.null_class,
        guidance: guidance.scale,
        range: model.card.range,
        clips: match clip {
            Some(Clip::Range { low, high }) => Some([low, high]),
            _ => None,
        },
        raw_noise: denoiser::raw_noise(settings, model),
        size: settings.size.map(|_| {
            let [_, height, width] = model.shape_of(settings);
            [height, width]
        }),
        clips_as_scheduler,
        parts: parts(model, settings, folder),
        whole: whole(model, settings, files)?,
        place: Place { folder, subfolder: model.place.subfolder.as_deref(), variant: model.place.variant.as_deref() },
        scheduler_config: &model.scheduler_config,
    })?)
}

/// The pipeline of a folder, where it does more than a loop over a network and a scheduler.
fn whole<'a>(model: &Pipeline, settings: &'a Settings, files: Files<'a>) -> Result<Option<Whole<'a>>, ScriptError> {
    const LOOPS: [&str; 2] = ["KarrasVePipeline", "ConsistencyModelPipeline"];
    let (class, embeds_guidance) = (model.class, model.network.embeds_guidance());
    let texts = match &model.conditioning {
        Conditioning::Text(encoders) => Some(encoders),
        _ => None,
    };
    let more = texts.is_some_and(|texts| texts.second.is_some() || embeds_guidance || model.scalings.is_some());
    if !more && model.network.hole() == 0 && !LOOPS.contains(&class) {
        return Ok(None);
    }
    if !model.card.parts.is_empty() {
        return Err(ScriptError::Shared(class));
    }
    let [_, height, width] = model.picture_of(settings);
    Ok(Some(Whole {
        class,
        texts: texts.map(|_| [settings.prompt.as_str(), settings.negative.as_str()]),
        embeds_guidance,
        size: [height, width],
        hole: files.image.map(|image| (image, files.mask)),
    }))
}

/// What a script needs besides a network of pictures; the folders are those beside `folder` that the card names, or itself.
fn parts<'a>(model: &'a Pipeline, settings: &'a Settings, folder: &str) -> Option<Parts<'a>> {
    if model.network.unet2d().is_some() && !model.is_latent() {
        return None;
    }
    let place = |part: &str| match model.card.parts.get(part) {
        Some(other) => Path::new(folder).with_file_name(other).display().to_string(),
        None => folder.to_owned(),
    };
    let network = model.parts.first().map_or("UNet2DModel", |part| part.class);
    let decoder = model.parts.iter().find(|part| part.folder.starts_with('v'));
    Some(Parts {
        network: if network == "Transformer2DModel" { "DiTTransformer2DModel" } else { network },
        decoder: decoder.map(|part| (part.class, place(part.folder), part.folder)),
        texts: matches!(model.conditioning, Conditioning::Text(_)).then(|| Texts {
            prompt: &settings.prompt,
            negative: &settings.negative,
            encoder: place("text_encoder"),
            tokenizer: place("tokenizer"),
        }),
    })
}
