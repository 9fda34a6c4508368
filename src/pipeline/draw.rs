//! From a prompt to pictures, as a folder's own scheduler draws them.

use super::{Condition, Conditioned, Conditioning, Pipeline, PipelineError};
use crate::backend::ImageNoise;
use crate::denoise::{Clipped, Denoiser, Guidance, Guided};
use crate::interchange::{Bound, Mapped, Unmapped, Used};
use crate::math::Noise;
use crate::samplers::{Run, method};
use burn::tensor::{Device, Tensor};
use thiserror::Error;

/// Why a pipeline does not draw what it is asked for.
#[derive(Debug, Error)]
pub enum DrawError {
    #[error("This model takes no {0}; leave it out.")]
    NotConditioned(&'static str),
    #[error("Class {got} was asked for, but this model has classes 0 to {}.", .count - 1)]
    Class { got: usize, count: usize },
    #[error("This model was never trained without a class; pick one and set guidance to 1.")]
    NeedsClass,
    #[error("This folder's scheduler cannot be followed: {0}.")]
    Scheduler(#[from] Unmapped),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

/// What the network is conditioned on, and what guidance pushes away from.
#[derive(Clone, Debug)]
pub struct Conditions {
    pub conditional: Condition,
    pub unconditional: Condition,
    /// Words of the prompt for which there was no place.
    pub left_out: Vec<String>,
}

/// How pictures are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    /// As in diffusers: away from the unconditional estimate where it is above 1.
    pub guidance: f64,
    pub steps: usize,
    /// Of the first image; the next ones have the numbers after it.
    pub seed: u32,
    pub images: usize,
}

impl Pipeline {
    /// The conditions for `images` pictures. Texts are encoded here, once; after that the text encoder can be
    /// dropped.
    ///
    /// # Errors
    /// A text for a network that takes none, a class that it does not have.
    pub fn conditions(
        &self,
        prompt: Option<&str>,
        negative: Option<&str>,
        class: Option<usize>,
        images: usize,
    ) -> Result<Conditions, DrawError> {
        let text = prompt.map(|_| "prompt").or(negative.map(|_| "negative prompt"));
        let (conditional, unconditional, left_out) = match (&self.conditioning, text, class) {
            (Conditioning::Text(_), _, Some(_)) => return Err(DrawError::NotConditioned("class")),
            (Conditioning::Text(encoder), ..) => {
                let (conditional, left_out) = encoder.encode(prompt.unwrap_or_default(), images)?;
                (conditional, encoder.encode(negative.unwrap_or_default(), images)?.0, left_out)
            }
            (_, Some(text), _) => return Err(DrawError::NotConditioned(text)),
            (Conditioning::None, None, Some(_)) => return Err(DrawError::NotConditioned("class")),
            (Conditioning::None, None, None) => (Condition::Nothing, Condition::Nothing, Vec::new()),
            (Conditioning::Classes { count, null }, None, class) => {
                if let Some(got) = class.filter(|class| class >= count) {
                    return Err(DrawError::Class { got, count: *count });
                }
                let row = class.or(*null).ok_or(DrawError::NeedsClass)?;
                let condition = |row| Condition::Classes(vec![row; images]);
                (condition(row), condition(null.unwrap_or(row)), Vec::new())
            }
        };
        Ok(Conditions { conditional, unconditional, left_out })
    }

    /// What the network draws, as the folder's scheduler has it: pictures, or latents for
    /// [`decode`](super::Latents::decode).
    ///
    /// # Shapes
    /// `[images, channels, height, width]` of [`Network::shape`](super::Network::shape).
    ///
    /// # Errors
    /// A scheduler that is not followed here.
    pub fn draw(&self, conditions: &Conditions, drawing: &Drawing, device: &Device) -> Result<Tensor<4>, DrawError> {
        let mapped = self.scheduled(drawing.steps)?;
        if mapped.shown.is_some() || mapped.last_noise.is_some() {
            return Err(Unmapped("it shows the network other levels, or ends with noise".to_owned()).into());
        }
        let [channels, height, width] = self.network.shape();
        let mut noise = ImageNoise::new(drawing.seed, drawing.images);
        let like = Tensor::zeros([drawing.images, channels, height, width], device);
        let start = noise.normal(&like) * mapped.start;
        let mut noise = Used::new(noise, &mapped.draws);
        let Conditions { conditional, unconditional, .. } = conditions.clone();
        let model = Guided {
            model: Conditioned::new(self, conditional, unconditional),
            // Of no more than 1 diffusers makes none, which is 1 here.
            guidance: Guidance::plain(drawing.guidance.max(1.0)),
        };
        match mapped.bound {
            None => through(&mapped, &model, start, &mut noise),
            Some(Bound { clip, use_clipped_model_output }) => {
                through(&mapped, &Clipped { model, clip, use_clipped_model_output }, start, &mut noise)
            }
        }
    }
}

/// Through all steps from `start`.
fn through(
    mapped: &Mapped,
    model: &dyn Denoiser<Tensor<4>>,
    start: Tensor<4>,
    noise: &mut dyn Noise<Tensor<4>>,
) -> Result<Tensor<4>, DrawError> {
    let grid = mapped.grid()?;
    let sampler = method::<Tensor<4>>(mapped.sampler).and_then(|row| row.on_grid());
    let sampler = sampler.ok_or_else(|| Unmapped(format!("no sampler {} takes its steps", mapped.sampler)))?;
    let run = Run::new(start.clone(), &grid, &mapped.schedule, model, noise).with_tuning(mapped.tuning.clone());
    let run = match mapped.listed() {
        Some(orders) => run.with_orders(orders),
        None => run,
    };
    let mut x = sampler(run).last().map_or(start, |step| step.x);
    for step in mapped.standing() {
        x = mapped.stand(model, &x, *step);
    }
    Ok(x)
}
