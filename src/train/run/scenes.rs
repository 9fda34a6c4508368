//! Runs on scenes.

use super::fit::Fit;
use super::{Outcome, Progress, RunError, beside, export, figures, file, unbuildable};
use crate::dataset::scenes::{PythonRandom, SceneSet};
use crate::models::autoencoder_kl::{AutoencoderKl, AutoencoderKlConfig};
use crate::models::clip_text::{ClipText, ClipTextConfig};
use crate::models::judge::{Judge, JudgeConfig};
use crate::models::unet2d_condition::{Unet2dCondition, Unet2dConditionConfig};
use crate::pipeline::text::Tokenizer;
use crate::train::draws::Stream;
use crate::train::initial;
use crate::train::recipe::{Autoencoder, Captioned, Judging, RecipeError, TokenizerSection};
use crate::train::tasks::{self, Autoencode, Contrast, Distil, Scenery, TextDenoiser};
use crate::train::vocabulary::Vocabulary;
use serde_json::json;
use std::fs;
use std::ops::ControlFlow;

/// Captions that the tokenizer's merges are learnt from.
const CAPTIONS: usize = 120_000;

/// Trains an autoencoder.
pub fn autoencoder(
    fit: &Fit,
    recipe: &Autoencoder,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, RunError> {
    let (job, train) = (fit.job, &fit.recipe.train);
    let json = recipe.config();
    let config = AutoencoderKlConfig::from_json(&json.to_string()).map_err(unbuildable("autoencoder"))?;
    let set = recipe.data.read(job.data, &recipe.scenes, true)?;
    let coder = &config.coder;
    let (side, factor) = (set.sprites.side(), coder.factor());
    let shape = [coder.in_channels, coder.out_channels, coder.sample_size];
    if shape != [3, 3, side] || !side.is_multiple_of(factor) {
        let why = format!(
            "in_channels, out_channels and sample_size are {shape:?}, but pictures are of 3 colours and {side} wide, of which the last \
             level's latents must be a whole part"
        );
        return Err(RunError::Network { section: "autoencoder", why });
    }
    let latents = [coder.latent_channels, side / factor];
    let device = job.device.clone().autodiff();
    let net = match &train.init {
        Some(name) => export::autoencoder(&beside(job.out, name).join("vae"), &json, &device)?,
        None => {
            let weights = Stream::Weights.generator(train.seed, 0);
            initial::weights(AutoencoderKl::new(&config, &device), weights)
        }
    };
    let scenery = Scenery { set, seed: train.seed, size: train.batch, device: job.device.clone() };
    let task = Autoencode { scenery, objective: recipe.objective.clone(), latents };
    let write = |task: &Autoencode, net: &AutoencoderKl| {
        let spread = task.spread(net)?;
        let figures = figures::of(&task.kept_back(net)?, &spread);
        let mut json = json.clone();
        json["scaling_factor"] = json!(1.0 / figures::deviation(&spread.concat()));
        export::write_json(job.out, "figures.json", &figures)?;
        export::network(&job.out.join("vae"), net, &json)
    };
    fit.run(task, net, write, watch)
}

/// Trains a text-conditioned denoiser with its text encoder, or distils one.
pub fn captioned(
    fit: &Fit,
    recipe: &Captioned,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, RunError> {
    let (job, train) = (fit.job, &fit.recipe.train);
    let at_fault = |source| RunError::Recipe { path: job.recipe.to_owned(), source };
    let process = recipe.process().map_err(|e| at_fault(RecipeError::from(e)))?;
    let [unet, text] = [recipe.unet_config(), recipe.text_config()];
    let config = Unet2dConditionConfig::from_json(&unet.to_string()).map_err(unbuildable("unet"))?;
    let text_config = ClipTextConfig::from_json(&text.to_string()).map_err(unbuildable("text_encoder"))?;
    let (autoencoder, autoencoder_json) =
        export::frozen(&beside(job.out, &recipe.latents.autoencoder).join("vae"), job.device)?;
    let set = recipe.data.read(job.data, &recipe.scenes, false)?;
    check(&config, &text_config, recipe, &autoencoder, &set)?;

    let given = recipe.turbo.as_ref().map(|turbo| &turbo.teacher).or(train.init.as_ref());
    let tokenizer = tokenizer(fit, &recipe.tokenizer, given, &set)?;
    let scenery = Scenery { set, seed: train.seed, size: train.batch, device: job.device.clone() };
    let caption_drop = recipe.objective.caption_drop;
    let task = tasks::Captioned { scenery, autoencoder, tokenizer, process, caption_drop };
    let device = job.device.clone().autodiff();
    if let Some(turbo) = &recipe.turbo {
        let from = beside(job.out, &turbo.teacher);
        let student = export::unet_condition(&from, &unet, &device)?;
        let gap = recipe.schedule.timesteps().map_or(1, |timesteps| timesteps / turbo.grid);
        let teacher = export::unet_condition(&from, &unet, job.device)?;
        let text_encoder = export::text_encoder(&from, &text, job.device)?;
        let task = Distil { told: task, teacher, text_encoder, turbo: turbo.clone(), gap };
        let write = |task: &Distil, net: &Unet2dCondition| {
            let net = tasks::blended(net.clone(), &task.teacher, turbo.blend);
            export::student(job.out, (&net, &unet), &recipe.schedule, turbo.grid, &recipe.page)
        };
        return fit.run(task, student, write, watch);
    }
    let denoiser = match &train.init {
        Some(name) => {
            let from = beside(job.out, name);
            TextDenoiser {
                text_encoder: export::text_encoder(&from, &text, &device)?,
                unet: export::unet_condition(&from, &unet, &device)?,
            }
        }
        None => {
            let mut weights = Stream::Weights.generator(train.seed, 0);
            let text_encoder = ClipText::new(&text_config, &device);
            TextDenoiser {
                text_encoder: initial::text_encoder(text_encoder, &text_config, &mut weights),
                unet: initial::weights(Unet2dCondition::new(&config, &device), weights),
            }
        }
    };
    let write = |task: &tasks::Captioned, net: &TextDenoiser| {
        let parts = export::Parts { net, unet: &unet, text: &text, vae: (&task.autoencoder, &autoencoder_json) };
        export::captioned(job.out, &parts, &recipe.schedule, &recipe.page)
    };
    fit.run(task, denoiser, write, watch)
}

/// Trains encoders of pictures and captions to agree.
pub fn judge(
    fit: &Fit,
    recipe: &Judging,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, RunError> {
    let (job, train) = (fit.job, &fit.recipe.train);
    let config = JudgeConfig::from_json(&recipe.config.to_string()).map_err(unbuildable("judge"))?;
    let set = recipe.data.read(job.data, &recipe.scenes, false)?;
    let (channels, wide) = (&config.section.channels, set.sprites.side());
    let last = channels.iter().fold(wide, |side, _| side.div_ceil(2));
    if config.section.side != last {
        let (side, maps) = (config.section.side, channels.len());
        let why = format!("side is {side}, but pictures {wide} wide that are halved {maps} times are {last} wide");
        return Err(RunError::Network { section: "judge", why });
    } else if !set.scenes.has_others() {
        return Err(RunError::OneEmoji);
    }
    let tokenizer = tokenizer(fit, &recipe.tokenizer, train.init.as_ref(), &set)?;
    let device = job.device.clone().autodiff();
    let net = match &train.init {
        Some(name) => export::judge(&beside(job.out, name), &recipe.config, &device)?,
        None => {
            let mut weights = Stream::Weights.generator(train.seed, 0);
            let net = initial::weights(Judge::new(&config, &device), weights.clone());
            initial::text_encoder(net, &config.text_encoder, &mut weights)
        }
    };
    let scenery = Scenery { set, seed: train.seed, size: train.batch, device: job.device.clone() };
    let write = |_: &Contrast, net: &Judge| export::judged(job.out, net, &recipe.config);
    fit.run(Contrast { scenery, tokenizer }, net, write, watch)
}

/// Whether the parts fit each other.
fn check(
    unet: &Unet2dConditionConfig,
    text: &ClipTextConfig,
    recipe: &Captioned,
    autoencoder: &AutoencoderKl,
    set: &SceneSet,
) -> Result<(), RunError> {
    let refuse = |section, why| Err(RunError::Network { section, why });
    let coder = &autoencoder.config().coder;
    let (channels, side) = (coder.latent_channels, set.sprites.side() / coder.factor());
    let length = recipe.tokenizer.length;
    if [unet.in_channels, unet.out_channels] != [channels; 2] || unet.sample_size != Some([side; 2]) {
        refuse(
            "unet",
            format!(
                "in_channels, out_channels and sample_size are {}, {} and {:?}, but latents have {channels} channels and a side of {side}",
                unet.in_channels, unet.out_channels, unet.sample_size
            ),
        )
    } else if unet.num_class_embeds.is_some() || unet.addition.is_some() || unet.time_cond_proj_dim.is_some() {
        refuse("unet", "it is conditioned on more than captions".to_owned())
    } else if text.max_position_embeddings < length {
        let most = text.max_position_embeddings;
        refuse("text_encoder", format!("max_position_embeddings is {most}, but [tokenizer] length is {length}"))
    } else {
        Ok(())
    }
}

/// The tokenizer in the folder that is made: that of the model `given` beside it, or one of merges that are learnt from captions as training
/// draws them.
fn tokenizer(
    fit: &Fit,
    section: &TokenizerSection,
    given: Option<&String>,
    set: &SceneSet,
) -> Result<Tokenizer, RunError> {
    let train = &fit.recipe.train;
    let folder = fit.job.out.join("tokenizer");
    if let Some(name) = given {
        let from = beside(fit.job.out, name).join("tokenizer");
        fs::create_dir_all(&folder).map_err(file(&folder))?;
        for entry in fs::read_dir(&from).map_err(file(&from))? {
            let path = entry.map_err(file(&from))?.path();
            let copy = path.file_name().map(|name| fs::copy(&path, folder.join(name)));
            copy.transpose().map_err(file(&path))?;
        }
    } else if !folder.join("vocab.json").exists() {
        let mut rng = PythonRandom::new(&format!("tokenizer-{}", train.seed));
        let captions = (0..CAPTIONS).map(|_| set.scenes.draw(&mut rng).caption);
        let vocabulary = Vocabulary::learn(captions, section.size);
        vocabulary.save(&folder, section.length).map_err(file(&folder))?;
    }
    let unfit = |source| RunError::Tokenizer { path: folder.clone(), source };
    let tokenizer = Tokenizer::from_dir(&folder).map_err(unfit)?;
    let (largest, size) = (tokenizer.largest(), section.size);
    match largest as usize >= size || tokenizer.length() != section.length {
        true => Err(RunError::Tokens { path: folder, largest, size }),
        false => Ok(tokenizer),
    }
}
