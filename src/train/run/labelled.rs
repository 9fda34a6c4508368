//! Runs on labelled pictures.

use super::fit::Fit;
use super::{Outcome, Progress, RunError, beside, export, unbuildable};
use crate::dataset::Pictures;
use crate::models::classifier::{ClassifierConfig, NoisyClassifier};
use crate::models::unet2d::{Unet2d, Unet2dConfig};
use crate::train::draws::{Distribution, Stream};
use crate::train::initial;
use crate::train::recipe::{Labelled, Network, RecipeError, config};
use crate::train::tasks::{self, Classify, Denoise, Denoiser, Guidance};
use std::ops::ControlFlow;

/// Trains the network of a recipe of labelled pictures.
pub fn run(
    fit: &Fit,
    recipe: &Labelled,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, RunError> {
    let (job, train) = (fit.job, &fit.recipe.train);
    let at_fault = |source| RunError::Recipe { path: job.recipe.to_owned(), source };
    let process = recipe.process().map_err(|e| at_fault(RecipeError::from(e)))?;
    let split = recipe.data.read(job.data)?;
    let device = job.device.clone().autodiff();
    let weights = Stream::Weights.generator(train.seed, 0);
    let mut distribution =
        Distribution { process, augment: recipe.augment.clone(), label_drop: None, clean_share: 0.0 };
    match &recipe.network {
        Network::Denoiser { model, objective, page } => {
            let config = config(model, "UNet2DModel");
            let net = Unet2dConfig::from_json(&config.to_string()).map_err(unbuildable("model"))?;
            let [height, width] = net.sample_size;
            let none = page.classes.len();
            check(recipe, &split.seen, [net.in_channels, height, width], none)?;
            distribution.label_drop = Some((objective.label_drop, none));
            let unet = initial::weights(Unet2d::new(&net, &device), weights.clone());
            let unet = match &train.init {
                Some(name) => export::unet(&beside(job.out, name), &config, &device)?,
                None => unet,
            };
            let denoiser = Denoiser::new(unet, recipe.augment.is_some(), &device, weights);
            let guidance = match (objective.guidance, &train.init) {
                (Some(scale), Some(name)) => {
                    let teacher = export::unet(&beside(job.out, name), &config, job.device)?;
                    Some(Guidance { teacher, scale, none, interval: objective.guidance_interval })
                }
                _ => None,
            };
            let objective_of =
                Denoise { prediction: objective.prediction, min_snr_gamma: objective.min_snr_gamma, guidance };
            let task = tasks::Labelled::new(objective_of, &split, distribution, train, job.device);
            let write = |_: &_, net: &Unet2d| {
                export::denoiser(job.out, net, &config, &recipe.schedule, objective.prediction, page)
            };
            fit.run(task, denoiser, write, watch)
        }
        Network::Classifier { classifier, objective } => {
            let config = config(classifier, "NoisyClassifier");
            let net = ClassifierConfig::from_json(&config.to_string()).map_err(unbuildable("classifier"))?;
            let [_, height, width] = split.seen.shape;
            check(recipe, &split.seen, [net.in_channels, height, width], net.num_classes)?;
            distribution.clean_share = objective.clean_share;
            let net = initial::weights(NoisyClassifier::new(&net, &device), weights);
            let task = tasks::Labelled::new(Classify, &split, distribution, train, job.device);
            fit.run(task, net, |_, net| export::classifier(job.out, net, &config), watch)
        }
    }
}

fn check(recipe: &Labelled, seen: &Pictures, expected: [usize; 3], classes: usize) -> Result<(), RunError> {
    if seen.is_empty() {
        Err(RunError::NoPictures)
    } else if seen.shape != expected {
        Err(RunError::Shape { got: seen.shape, expected })
    } else if let Some(&got) = seen.labels.iter().find(|&&label| label >= classes) {
        Err(RunError::Label { got, classes })
    } else if recipe.augment.as_ref().is_some_and(|augment| augment.hue > 0.0) && seen.shape[0] != 3 {
        Err(RunError::Hue(seen.shape[0]))
    } else {
        Ok(())
    }
}
