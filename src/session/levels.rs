//! The noise levels of a run, and the run that a model's own scheduler makes of them.

use super::SessionError;
use super::denoiser::Timed;
use crate::interchange::{Draws, Mapped, diffusers};
use crate::math::{Grid, Level, Noise, Spacing};
use crate::pipeline::Pipeline;
use crate::samplers::{Listed, Method, Tuning};
use crate::settings::{Levels, Settings};
use burn::tensor::Tensor;

/// Which levels a run visits.
pub(super) struct Course {
    pub grid: Grid,
    /// The run of the model's own scheduler, where this is that run.
    own: Option<Mapped>,
    /// How many of its first steps are left out.
    skipped: usize,
}

impl Pipeline {
    /// The levels of a run of these settings, noisy first, the clean end last.
    ///
    /// # Errors
    /// Levels that do not fall, a scheduler that is not followed here.
    pub fn levels(&self, settings: &Settings) -> Result<Vec<Level>, SessionError> {
        let method = settings.method().map_err(SessionError::Sampler)?;
        Ok(Course::new(settings, self, &method)?.grid.levels())
    }
}

impl Course {
    /// # Errors
    /// Levels that do not fall, a scheduler that is not followed here.
    pub fn new(settings: &Settings, model: &Pipeline, method: &Method<Tensor<4>>) -> Result<Self, SessionError> {
        // A method that chooses its steps reads the ends of the grid; the finest one ends where the model was trained last.
        let steps = if method.on_grid().is_some() { settings.steps } else { *Settings::STEPS.end() };
        let spacing = match &settings.schedule {
            Levels::Spaced(spacing) => Some(spacing),
            // Of so many steps some schedulers have no grid, and the ends are those of the process.
            Levels::Model if method.on_grid().is_none() => Some(&Spacing::Trailing),
            Levels::Model => None,
        };
        if let Some(spacing) = spacing {
            return Ok(Self { grid: spacing.grid(&model.schedule, steps)?, own: None, skipped: 0 });
        }
        let mapped = diffusers::scheduled(&model.scheduler_config, steps)?.on(&model.schedule);
        let grid = mapped.grid()?;
        let same = mapped.is_run_of(method.id, &settings.tuning(method), &model.scheduler_config);
        Ok(Self { grid, own: Some(mapped).filter(|_| same), skipped: 0 })
    }

    /// The same course from a later level on.
    pub fn from(self, grid: Grid) -> Self {
        let skipped = self.grid.steps() - grid.steps();
        Self { grid, skipped, ..self }
    }

    /// What the first draw is scaled by.
    pub fn start(&self) -> f64 {
        self.own.as_ref().map_or_else(|| self.grid.first().marginal_std(), |own| own.start)
    }

    /// The knobs of the sampler, where the scheduler turns them.
    pub fn tuning(&self) -> Option<&Tuning> {
        self.own.as_ref().map(|own| &own.tuning)
    }

    /// The orders of its steps, where the scheduler lists them.
    pub fn orders(&self) -> Option<Listed<'_>> {
        let Listed { steps, corrections } = self.own.as_ref()?.listed()?;
        let rest = |list: &'_ [usize]| self.skipped.min(list.len());
        Some(Listed { steps: &steps[rest(steps)..], corrections: &corrections[rest(corrections)..] })
    }

    /// The levels that the network is conditioned on where the point is at another.
    pub fn shown(&self) -> Vec<(Level, Level)> {
        let Some(own) = &self.own else { return Vec::new() };
        let from = own.steps.iter().map(|(from, _)| *from);
        own.shown.iter().flat_map(|shown| from.clone().zip(shown.iter().copied())).collect()
    }

    /// Which draws of the run's noise are used.
    pub fn draws(&self) -> Draws {
        self.own.as_ref().map(|own| own.draws.after(self.skipped)).unwrap_or_default()
    }

    /// The steps without length that the scheduler takes after those of the grid.
    pub fn standing(&self) -> &[(Level, Level)] {
        self.own.as_ref().map_or(&[], Mapped::standing)
    }

    /// Where one of those steps leads.
    pub fn stand(&self, x: Tensor<4>, network: &Timed<'_>, step: (Level, Level)) -> Tensor<4> {
        self.own.as_ref().map_or(x.clone(), |own| own.stand(network, &x, step))
    }

    /// Whether the scheduler adds noise to the finished picture.
    pub fn ends_noisy(&self) -> bool {
        self.own.as_ref().and_then(|own| own.last_noise).is_some_and(|noise| noise.in_picture)
    }

    /// The finished picture with that noise.
    pub fn end(&self, x: Tensor<4>, network: &Timed<'_>, noise: &mut dyn Noise<Tensor<4>>) -> Tensor<4> {
        let last = self.own.as_ref().and_then(|own| own.last_noise).filter(|noise| noise.in_picture);
        last.map_or(x.clone(), |last| last.add(&x, noise.normal(&x), network.variance().as_ref()))
    }
}
