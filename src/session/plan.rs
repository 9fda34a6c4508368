//! Between which levels a run steps.

use super::SessionError;
use super::denoiser::raw_noise;
use crate::backend::ImageNoise;
use crate::denoise::{Denoiser, last_share};
use crate::interchange::{Draws, Mapped, diffusers, stands};
use crate::math::{Grid, Latent, Level, Noise};
use crate::pipeline::Pipeline;
use crate::samplers::{Listed, Method, Run};
use crate::settings::Settings;
use burn::tensor::Tensor;
use std::collections::VecDeque;

/// The levels of a run and, where it is the run of the folder's own scheduler, what diffusers does besides.
pub(super) struct Plan {
    pub grid: Grid,
    /// What the first noise is scaled by.
    pub start: f64,
    own: Option<Mapped>,
    /// Steps without length that follow the last, where they change something.
    standing: Vec<(Level, Level)>,
}

impl Plan {
    /// # Errors
    /// A grid that cannot be built; a strength that leaves no step.
    pub fn new(pipeline: &Pipeline, settings: &Settings, method: &Method<Tensor<4>>) -> Result<Self, SessionError> {
        // A method that chooses its steps reads the ends of the grid; the finest one ends where the model was trained last.
        let steps = if method.on_grid().is_some() { settings.steps } else { *Settings::STEPS.end() };
        if settings.strength < 1.0 {
            let grid = settings.schedule.grid(&pipeline.schedule, steps)?;
            // A strength of 0 has no step, and its run ends before the grid is read.
            let rest = if settings.strength == 0.0 { Some(grid.clone()) } else { last_share(&grid, settings.strength) };
            let grid = rest.ok_or(SessionError::NoStrength)?;
            return Ok(Self { start: grid.first().marginal_std(), grid, own: None, standing: Vec::new() });
        }
        if let Some(mapped) = own(pipeline, settings) {
            let moves = mapped.steps.len() - mapped.steps.iter().rev().take_while(|step| stands(**step)).count();
            let grid = Grid::of_steps(mapped.steps[..moves].to_vec())?;
            let standing = if raw_noise(settings, pipeline) { mapped.steps[moves..].to_vec() } else { Vec::new() };
            return Ok(Self { grid, start: mapped.start, own: Some(mapped), standing });
        }
        let grid = settings.schedule.grid(&pipeline.schedule, steps)?;
        Ok(Self { start: grid.first().marginal_std(), grid, own: None, standing: Vec::new() })
    }

    /// A run with the orders that diffusers gives its steps.
    pub fn ordered<'a>(&'a self, run: Run<'a, Tensor<4>>) -> Run<'a, Tensor<4>> {
        match self.own.as_ref().and_then(Mapped::listed) {
            Some(Listed { steps, corrections }) => run.with_orders(Listed { steps, corrections }),
            None => run,
        }
    }

    /// The draws of a generator that are used.
    pub fn draws(&self, generator: ImageNoise) -> Used {
        let listed = match self.own.as_ref().map(|own| &own.draws) {
            Some(Draws::Listed(used)) => used.iter().copied().collect(),
            Some(Draws::All) | None => VecDeque::new(),
        };
        Used { generator, listed }
    }

    /// The steps without length. They leave the point where it is, unless noise and a clipped `x_0` that do not belong
    /// together are put together there.
    pub fn stand(&self, x: Tensor<4>, network: &dyn Denoiser<Tensor<4>>) -> Tensor<4> {
        self.standing.iter().fold(x, |x, (from, to)| {
            let estimate = network.estimate(&x, *from);
            estimate.x0.mix(to.alpha, &estimate.eps, to.sigma)
        })
    }
}

/// The run of the folder's scheduler, where the settings ask for it: its sampler, knobs and spacing.
fn own(pipeline: &Pipeline, settings: &Settings) -> Option<Mapped> {
    let preset = diffusers::preset(&pipeline.scheduler_config);
    let preset = serde_json::to_value(preset).and_then(serde_json::from_value).ok()?;
    let preset = Settings::preset(&preset).ok()?;
    let asked = (&preset.sampler, &preset.knobs, &preset.schedule) == (&settings.sampler, &settings.knobs, &settings.schedule);
    let mapped = asked.then(|| pipeline.scheduled(settings.steps).ok())??;
    (mapped.sampler == settings.sampler && mapped.shown.is_none() && mapped.last_noise.is_none()).then_some(mapped)
}

/// The generators of the images, less the draws that the library makes and does not use.
pub(super) struct Used {
    generator: ImageNoise,
    listed: VecDeque<bool>,
}

impl Noise<Tensor<4>> for Used {
    fn normal(&mut self, like: &Tensor<4>) -> Tensor<4> {
        loop {
            let drawn = self.generator.normal(like);
            if self.listed.pop_front().unwrap_or(true) {
                return drawn;
            }
        }
    }
}
