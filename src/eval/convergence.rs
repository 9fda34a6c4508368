//! How far a sampler ends from where very many steps end, by the number of evaluations: what the papers on fast
//! samplers plot.

use crate::denoise::Denoiser;
use crate::math::{GridError, Latent, Noise, Schedule, Spacing};
use crate::samplers::{self, Counted, GaveUp, Method, Run, Stepping, Tuning};
use async_stream::try_stream;
use futures_util::Stream;
use std::pin::Pin;
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
    /// The largest root mean square of any picture of a batch, read from its device; infinite where a value is NaN.
    pub rms: &'a dyn Fn(X) -> Reading<'a>,
}

/// A number that is read from a device, which in a browser has to be awaited.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<f64, TaskError>> + 'a>>;

/// Where a run is after a step.
pub struct At<X> {
    pub x: X,
    /// Model evaluations it took so far.
    pub evaluations: usize,
}

/// Why a run has no end.
#[derive(Debug, Error)]
pub enum TaskError {
    #[error(transparent)]
    Grid(#[from] GridError),
    #[error(transparent)]
    GaveUp(#[from] GaveUp),
    #[cfg(feature = "nn")]
    #[error(transparent)]
    Backend(#[from] crate::backend::BackendError),
}

impl<X: Latent + 'static> Task<'_, X> {
    /// A run of `steps` steps, step by step. Nothing is computed ahead of the step that is awaited, and each is done on its device
    /// when it is given.
    ///
    /// # Errors
    /// A grid that cannot be built, an adaptive method that gave up, a device that failed.
    pub fn run<'a>(
        &'a self,
        method: &'a Method<X>,
        tuning: Tuning,
        steps: usize,
    ) -> impl Stream<Item = Result<At<X>, TaskError>> + 'a {
        try_stream! {
            let grid = self.spacing.grid(self.schedule, steps)?;
            let model = Counted::new(self.model);
            let start = self.z.scale(grid.first().marginal_std());
            let noise = &mut *(self.noise)();
            let run = Run::new(start, &grid, self.schedule, &model, noise).with_tuning(tuning);
            match method.stepping {
                Stepping::Grid(sampler) => {
                    for step in sampler(run) {
                        // The device would queue all steps; whoever waits could then not stop between two of them.
                        (self.rms)(step.x.clone()).await?;
                        yield At { x: step.x, evaluations: model.evaluations() };
                    }
                }
                Stepping::Adaptive(sampler) => {
                    let mut run = sampler(run);
                    while let Some(error) = run.attempt() {
                        if let Some(step) = run.judge((self.rms)(error).await?)? {
                            yield At { x: step.x, evaluations: model.evaluations() };
                        }
                    }
                }
            }
        }
    }

    /// How far `x` is from `reference`: the root mean square of the difference.
    ///
    /// # Errors
    /// The device failed.
    pub async fn distance(&self, x: &X, reference: &X) -> Result<f64, TaskError> {
        (self.rms)(x.mix(1.0, reference, -1.0)).await
    }
}

/// The most steps that a method with this tuning takes within `evaluations` of them; `None` where even one step takes more.
pub fn steps_within(
    (method, tuning): (&Method<f64>, &Tuning),
    schedule: &Schedule,
    spacing: &Spacing,
    evaluations: usize,
) -> Option<usize> {
    let within = |steps: usize| {
        let grid = spacing.grid(schedule, steps).ok();
        let taken = grid.and_then(|grid| samplers::evaluations(method, tuning.clone(), &grid, grid.steps(), schedule));
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
