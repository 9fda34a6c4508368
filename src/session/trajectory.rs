//! The trajectories of a run, on tensors.

use super::SessionError;
use crate::backend;
use crate::math::{Latent, Level};
use crate::samplers::{Adaptive, Run, Step, Stepping, Steps, Tally};
use burn::tensor::Tensor;
use std::ops::Range;

/// Which pictures of a batch share a trajectory: all of them on a grid; where a method chooses its steps each has its own,
/// so that none depends on the errors of its neighbours.
pub(super) fn parts(stepping: &Stepping<Tensor<4>>, images: usize) -> Vec<Range<usize>> {
    match stepping {
        Stepping::Grid(_) => std::iter::once(0..images).collect(),
        Stepping::Adaptive(_) => (0..images).map(|i| i..i + 1).collect(),
    }
}

/// The pictures of `range` out of a batch.
pub(super) fn part(batch: &Tensor<4>, range: &Range<usize>) -> Tensor<4> {
    batch.clone().narrow(0, range.start, range.len())
}

/// What becomes of a part of a batch.
pub(super) enum Part<'a> {
    Run(Run<'a, Tensor<4>>),
    /// It is at its end, where this step stays.
    Ended(Step<Tensor<4>>),
}

enum Stepper<'a> {
    Grid(Steps<'a, Tensor<4>>),
    Adaptive(Box<dyn Adaptive<Tensor<4>> + 'a>),
}

impl Stepper<'_> {
    /// The next step; `None` at the end.
    async fn next(&mut self) -> Result<Option<Step<Tensor<4>>>, SessionError> {
        let run = match self {
            Self::Grid(steps) => return Ok(steps.next()),
            Self::Adaptive(run) => run,
        };
        while let Some(error) = run.attempt() {
            let error = backend::read(error.rms().max_dims(&[0, 1, 2, 3])).await?;
            if let Some(step) = run.judge(error.first().copied().unwrap_or(f32::NAN).into())? {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }
}

/// The trajectories of the parts of a batch, step by step beside each other.
pub(super) struct Trajectories<'a> {
    steppers: Vec<Stepper<'a>>,
    /// The last step of each.
    last: Vec<Option<Step<Tensor<4>>>>,
    parts: Vec<Range<usize>>,
}

/// A step of the whole batch: of every picture that is not at its end, beside those that are.
pub(super) struct BatchStep {
    pub x: Tensor<4>,
    pub denoised: Tensor<4>,
    /// The level of each picture.
    pub levels: Vec<Level>,
}

impl<'a> Trajectories<'a> {
    /// `runs` are those of the parts.
    pub fn new(
        stepping: &Stepping<Tensor<4>>,
        parts: Vec<Range<usize>>,
        runs: impl IntoIterator<Item = Part<'a>>,
    ) -> Self {
        let start = |part| match (part, stepping) {
            (Part::Ended(step), _) => Stepper::Grid(Box::new(std::iter::once(step))),
            (Part::Run(run), Stepping::Grid(sampler)) => Stepper::Grid(sampler(run)),
            (Part::Run(run), Stepping::Adaptive(sampler)) => Stepper::Adaptive(sampler(run)),
        };
        Self { steppers: runs.into_iter().map(start).collect(), last: vec![None; parts.len()], parts }
    }

    /// The next step; `None` once every picture is at its end.
    ///
    /// # Errors
    /// A device that failed, a method that found no step short enough.
    pub async fn next(&mut self) -> Result<Option<BatchStep>, SessionError> {
        let mut moved = false;
        for (stepper, last) in self.steppers.iter_mut().zip(&mut self.last) {
            if let Some(step) = stepper.next().await? {
                (*last, moved) = (Some(step), true);
            }
        }
        let steps: Vec<_> = self.last.iter().flatten().collect();
        if !moved || steps.len() < self.parts.len() {
            return Ok(None);
        }
        let batch = |of: fn(&Step<Tensor<4>>) -> &Tensor<4>| match steps[..] {
            [step] => of(step).clone(),
            _ => Tensor::cat(steps.iter().map(|step| of(step).clone()).collect(), 0),
        };
        let levels = self.parts.iter().zip(&steps).flat_map(|(part, step)| vec![step.to; part.len()]).collect();
        Ok(Some(BatchStep { x: batch(|step| &step.x), denoised: batch(|step| &step.denoised), levels }))
    }

    /// The attempts so far of all pictures together, of a run that makes attempts.
    pub fn tally(&self) -> Option<Tally> {
        let tallies = self.steppers.iter().map(|stepper| match stepper {
            Stepper::Grid(_) => None,
            Stepper::Adaptive(run) => Some(run.tally()),
        });
        let sum = |a: Tally, b: Tally| Tally { accepted: a.accepted + b.accepted, rejected: a.rejected + b.rejected };
        tallies.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().reduce(sum))
    }
}
