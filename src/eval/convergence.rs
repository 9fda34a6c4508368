//! How far a sampler ends from where very many steps end, by the number of evaluations: what the papers on fast
//! samplers plot.

use crate::denoise::Denoiser;
use crate::math::{GridError, Latent, Noise, Schedule, Spacing};
use crate::samplers::{self, Counted, GaveUp, Method, Run, Stepping, Tally, Tuning};
use thiserror::Error;

/// What every sampler is set to.
pub struct Task<'a, X> {
    pub schedule: &'a Schedule,
    pub spacing: Spacing,
    pub model: &'a dyn Denoiser<X>,
    /// Standard normal; a run starts from it at the marginal's width.
    pub z: X,
    /// A source of noise that is the same each time it is made. A Brownian path makes runs of different lengths
    /// comparable.
    pub noise: &'a dyn Fn() -> Box<dyn Noise<X>>,
    /// The largest root mean square of any picture of a batch, read from its device.
    pub rms: &'a dyn Fn(&X) -> f64,
}

/// Where a run ended.
pub struct End<X> {
    pub x: X,
    /// Model evaluations it took.
    pub evaluations: usize,
    /// The steps of a method that chooses them.
    pub tally: Option<Tally>,
}

/// Why a run has no end.
#[derive(Debug, Error)]
pub enum TaskError {
    #[error(transparent)]
    Grid(#[from] GridError),
    #[error(transparent)]
    GaveUp(#[from] GaveUp),
}

impl<X: Latent> Task<'_, X> {
    /// The end of a run of `steps` steps.
    ///
    /// # Errors
    /// A grid that cannot be built, an adaptive method that gave up.
    pub fn end(&self, method: &Method<X>, tuning: Tuning, steps: usize) -> Result<End<X>, TaskError> {
        let grid = self.spacing.grid(self.schedule, steps)?;
        let model = Counted::new(self.model);
        let start = self.z.scale(grid.first().marginal_std());
        let noise = &mut *(self.noise)();
        let run = Run::new(start.clone(), &grid, self.schedule, &model, noise).with_tuning(tuning);
        let (x, tally) = match method.stepping {
            Stepping::Grid(sampler) => (sampler(run).last().map_or(start, |step| step.x), None),
            Stepping::Adaptive(sampler) => {
                let (mut run, mut x) = (sampler(run), start);
                while let Some(error) = run.attempt() {
                    if let Some(step) = run.judge((self.rms)(&error))? {
                        x = step.x;
                    }
                }
                (x, Some(run.tally()))
            }
        };
        Ok(End { x, evaluations: model.evaluations(), tally })
    }

    /// How far `x` is from `reference`: the root mean square of the difference.
    pub fn distance(&self, x: &X, reference: &X) -> f64 {
        (self.rms)(&x.mix(1.0, reference, -1.0))
    }
}

/// The most steps that a method takes within `evaluations` of them; `None` where even one step takes more.
pub fn steps_within(method: &Method<f64>, schedule: &Schedule, spacing: &Spacing, evaluations: usize) -> Option<usize> {
    let within = |steps: usize| {
        let grid = spacing.grid(schedule, steps).ok();
        let taken =
            grid.and_then(|grid| samplers::evaluations(method, Tuning::default(), &grid, grid.steps(), schedule));
        taken.is_some_and(|taken| taken <= evaluations)
    };
    // More steps never take fewer evaluations, and no step takes less than one.
    let (mut most, mut beyond) = (0, evaluations + 1);
    while beyond - most > 1 {
        let middle = usize::midpoint(most, beyond);
        if within(middle) { most = middle } else { beyond = middle }
    }
    (most > 0).then_some(most)
}
