//! Floor 2: the samplers. One file a method, one row in [`methods`], one folder a family. No burn, no wasm.
//!
//! A sampler is a function from a [`Run`] to an iterator of [`Step`]s. What it remembers are local variables of that
//! iterator: there is nothing to reset, and dropping the iterator cancels the run.
//!
//! Every method is written on pairs of [`Level`]s. Papers that work in the noise-to-signal coordinate `x / alpha` (the
//! "sigma" of EDM) and papers that work on `alpha_bar` then read the same. A flow starts at `alpha = 0`, where that
//! coordinate is infinite: only `ratio` and `lambda` know it, and their limits there are what each method needs.

pub mod adaptive;
pub mod ancestral;
mod coefficients;
mod count;
pub mod few_step;
mod history;
mod knob;
pub mod langevin;
mod method;
pub mod multistep;
pub mod ode;
pub mod sde;
pub mod singlestep;
mod steps;
mod table;

pub use ancestral::ddim_inverse;
pub use count::{Counted, evaluations};
pub use knob::{Knob, Tuning};
pub use method::Method;
pub use table::{method, methods};

use crate::denoise::Denoiser;
use crate::math::{Grid, Level, Noise, NoiseSchedule};
use thiserror::Error;

/// What a sampler is given.
pub struct Run<'a, X> {
    /// The point at the grid's first level.
    pub start: X,
    /// The noise levels of the run.
    pub grid: &'a Grid,
    /// The process that the grid's levels were taken from, for methods that evaluate the model between them.
    pub schedule: &'a dyn NoiseSchedule,
    /// The model, wrapped so that it estimates `x_0`.
    pub model: &'a dyn Denoiser<X>,
    /// Where every random number of the run comes from.
    pub noise: &'a mut dyn Noise<X>,
    /// What was set; a method reads the knobs of its row and no other.
    pub tuning: Tuning,
    /// The order of each step, for callers that fix it; else it follows the method's own rule.
    pub orders: Option<Listed<'a>>,
}

impl<'a, X> Run<'a, X> {
    /// A run whose knobs stand at the method's defaults.
    pub fn new(
        start: X,
        grid: &'a Grid,
        schedule: &'a dyn NoiseSchedule,
        model: &'a dyn Denoiser<X>,
        noise: &'a mut dyn Noise<X>,
    ) -> Self {
        Self { start, grid, schedule, model, noise, tuning: Tuning::default(), orders: None }
    }

    /// The same run with these knobs set.
    #[must_use]
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// The same run with the order of each step listed.
    #[must_use]
    pub fn with_orders(self, orders: Listed<'a>) -> Self {
        Self { orders: Some(orders), ..self }
    }

    /// The order that a multistep method of order `most` uses in each step.
    pub(crate) fn orders(&self, most: usize) -> Orders<'a> {
        let ends_clean = self.grid.last().sigma == 0.0;
        let steps = if ends_clean { self.grid.steps() } else { usize::MAX };
        Orders { listed: self.orders, most, steps }
    }
}

/// Orders that a caller fixes, step by step. Where a list has run out, the method's own rule holds.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    pub steps: &'a [usize],
    /// How many estimates the corrector takes that corrects a step: 0 where the step is not corrected.
    pub corrections: &'a [usize],
}

/// The order that a multistep method may use in each step: all of its own, lowered step by step towards a clean end, as
/// the last step there is infinitely long in log-SNR and only of order 1 (Zhao et al. 2023, arXiv 2302.04867,
/// appendix F). A method remembers only the steps that it has taken, so it also climbs to its order by itself.
#[derive(Clone, Copy)]
pub(crate) struct Orders<'a> {
    listed: Option<Listed<'a>>,
    most: usize,
    steps: usize,
}

impl Orders<'_> {
    /// The order of step `i`, at least 1 and at most the method's.
    pub fn at(&self, i: usize) -> usize {
        let own = self.steps.saturating_sub(i);
        self.listed.and_then(|listed| listed.steps.get(i).copied()).unwrap_or(own).clamp(1, self.most)
    }

    /// How many estimates the corrector of step `i` takes, where its method would take `own`.
    pub fn correction(&self, i: usize, own: usize) -> usize {
        self.listed.and_then(|listed| listed.corrections.get(i).copied()).unwrap_or(own)
    }
}

/// One finished step.
#[derive(Clone, Debug)]
pub struct Step<X> {
    /// The point at `to`.
    pub x: X,
    /// The model's estimate of `x_0` that the step was built on: the first of them where a step evaluates at two levels,
    /// the last where it evaluates often at one.
    pub denoised: X,
    pub from: Level,
    pub to: Level,
}

/// The steps of a run, computed one by one lazily.
pub type Steps<'a, X> = Box<dyn Iterator<Item = Step<X>> + 'a>;

/// A sampler.
pub type Sampler<X> = for<'a> fn(Run<'a, X>) -> Steps<'a, X>;

/// A run whose steps are as long as their error allows.
///
/// How large an error is can only be read from the device, and a browser forbids to wait for it. So the caller reads it:
/// it requests an attempt, measures what comes back, waiting as its device does, and reports it.
pub trait Adaptive<X> {
    /// Tries a step. What comes back is the step's error over the tolerance, at every place: its root mean square is 1
    /// where the step is just good enough. `None` once the run is at the grid's last level, or has given up.
    fn attempt(&mut self) -> Option<X>;

    /// Takes the step that was tried if `error`, the largest root mean square of any picture of the batch, is as small
    /// as the method wants it, and chooses the length of the next attempt. `None` if the step was rejected; an error
    /// that is NaN rejects it too.
    ///
    /// # Errors
    /// Too many attempts failed: no step is short enough. The run is over then.
    fn judge(&mut self, error: f64) -> Result<Option<Step<X>>, GaveUp>;

    /// The attempts that were judged so far.
    fn tally(&self) -> Tally;
}

/// How many attempts an adaptive run has made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub accepted: usize,
    pub rejected: usize,
}

/// Why an adaptive run stopped before its end.
#[derive(Clone, Debug, Error, PartialEq)]
#[error(
    "no step was good enough in {attempts} attempts: at noise-to-signal ratio {nsr:.4} the next one would be {length:.1e} \
     long; use a larger tolerance, and check that the model gives finite values"
)]
pub struct GaveUp {
    pub attempts: usize,
    /// The noise-to-signal ratio that the run got to.
    pub nsr: f64,
    /// Length of the attempt that would have been next, in the method's own coordinate.
    pub length: f64,
}

/// A sampler that chooses its own steps. Of the grid it reads the two levels at each end: where an end is pure noise or
/// clean, the step from it or to it is the grid's.
pub type AdaptiveSampler<X> = for<'a> fn(Run<'a, X>) -> Box<dyn Adaptive<X> + 'a>;

/// How a method steps.
pub enum Stepping<X> {
    /// One step for each of the grid's.
    Grid(Sampler<X>),
    /// Steps of its own choice.
    Adaptive(AdaptiveSampler<X>),
}
