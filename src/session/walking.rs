//! A run under way, of either kind, on tensors.

use super::SessionError;
use crate::backend;
use crate::math::Latent;
use crate::samplers::{Adaptive, Run, Step, Steps, Tally, Walk};
use burn::tensor::Tensor;

pub(super) enum Walking<'a> {
    Grid(Steps<'a, Tensor<4>>),
    Adaptive(Box<dyn Adaptive<Tensor<4>> + 'a>),
}

impl<'a> Walking<'a> {
    pub fn new(walk: &Walk<Tensor<4>>, run: Run<'a, Tensor<4>>) -> Self {
        match walk {
            Walk::Grid(sampler) => Self::Grid(sampler(run)),
            Walk::Adaptive(sampler) => Self::Adaptive(sampler(run)),
        }
    }

    /// The next step; `None` at the end.
    ///
    /// # Errors
    /// A device that failed, a method that found no step short enough.
    pub async fn next(&mut self) -> Result<Option<Step<Tensor<4>>>, SessionError> {
        let run = match self {
            Self::Grid(steps) => return Ok(steps.next()),
            Self::Adaptive(run) => run,
        };
        while let Some(error) = run.attempt() {
            // The steps are those of the picture that needs the shortest.
            let worst = backend::read(error.rms().max_dims(&[0, 1, 2, 3])).await?;
            if let Some(step) = run.judge(worst.first().copied().unwrap_or(f32::NAN).into())? {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// The attempts so far, of a run that makes attempts.
    pub fn tally(&self) -> Option<Tally> {
        match self {
            Self::Grid(_) => None,
            Self::Adaptive(run) => Some(run.tally()),
        }
    }
}
