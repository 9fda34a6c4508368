//! A trained network as the samplers see it.

use super::Pretrained;
use crate::denoise::Denoiser;
use crate::math::{Latent, Level};
use burn::tensor::Tensor;

/// A [`Denoiser`] of a batch of pictures: labels, classifier-free guidance and clipping wrapped around a network.
///
/// Both branches of guidance go through the network as one batch of twice the images, and what is clipped is the
/// estimate of `x_0` after guidance, so that a sampler's noise agrees with the picture it was clipped to.
pub struct NetworkDenoiser<'a> {
    model: &'a Pretrained,
    /// Row of the class embedding for each image of the network's batch: the images with their labels, then, where
    /// there is guidance, the same images without.
    classes: Option<Vec<usize>>,
    guidance: Option<f64>,
}

impl<'a> NetworkDenoiser<'a> {
    /// One label an image, `None` for no label. `guidance` is a scale as in [`Guidance`](crate::denoise::Guidance); it acts only where a label says
    /// something that no label does not.
    ///
    /// # Panics
    /// If a label is no class of the model, or if the unlabelled branch is needed of a model whose card names no
    /// [`null_class`](super::Card::null_class).
    pub fn new(model: &'a Pretrained, labels: &[Option<usize>], guidance: f64) -> Self {
        let Some(rows) = model.net.config().num_class_embeds else {
            return Self { model, classes: None, guidance: None };
        };
        let row = |label: &Option<usize>| {
            let row =
                label.or(model.card.null_class).expect("a model trained without unlabelled pictures needs a label");
            assert!(row < rows, "class {row} of a model that has {rows}");
            row
        };
        let unlabelled = || vec![row(&None); labels.len()];
        let mut classes: Vec<_> = if guidance == 0.0 { unlabelled() } else { labels.iter().map(row).collect() };
        let guided = guidance != 0.0 && guidance != 1.0 && labels.iter().any(Option::is_some);
        if guided {
            classes.extend(unlabelled());
        }
        Self { model, classes: Some(classes), guidance: guided.then_some(guidance) }
    }
}

impl Denoiser<Tensor<4>> for NetworkDenoiser<'_> {
    /// `x` has as many images as there are labels.
    fn denoise(&self, x: &Tensor<4>, at: Level) -> Tensor<4> {
        let Pretrained { net, prediction, card, .. } = self.model;
        let batch = if self.guidance.is_some() { Tensor::cat(vec![x.clone(); 2], 0) } else { x.clone() };
        let [images, channels, ..] = batch.dims();
        // A learned variance follows the prediction in further channels; no sampler here asks for it.
        let output = net.forward(batch, &vec![at.t; images], self.classes.as_deref()).narrow(1, 0, channels);
        let output = match self.guidance {
            Some(scale) => {
                let half = images / 2;
                output.clone().narrow(0, 0, half).mix(scale, &output.narrow(0, half, half), 1.0 - scale)
            }
            None => output,
        };
        let x0 = prediction.to_x0(x, &output, at);
        if card.clip_denoised { x0.clamp(card.range[0], card.range[1]) } else { x0 }
    }
}
