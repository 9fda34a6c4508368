//! What every method of the family shares: the way from level to level, and what is done when a step fails.

use crate::denoise::Denoiser;
use crate::math::{Grid, Latent, Level, Noise, NoiseSchedule};
use crate::samplers::steps::slide;
use crate::samplers::{Adaptive, GaveUp, Knob, Run, Step, Tally};

/// Relative error that a step may make.
pub const TOLERANCE: Knob = Knob::number("tolerance", 1e-12, 1.0, 0.05);

/// Error that a step may make in any case, in units of the data.
pub const ABSOLUTE_TOLERANCE: Knob = Knob::number("absolute-tolerance", 1e-12, 1.0, 0.0078);

/// Attempts in a row that may be rejected. A step of any sane model is found in a handful.
const REJECTIONS: usize = 40;

/// Attempts of a whole run.
const ATTEMPTS: usize = 20_000;

/// The factor on the length of a step whose error is no number, or that is lost in rounding.
const SHRINK: f64 = 0.2;

/// A pair of formulas that share their evaluations; how far their results lie apart tells their error.
pub(super) trait Pair<X> {
    /// Where a level lies in the coordinate that steps are measured in. It rises from noise to clean, and may be
    /// infinite at either end.
    fn place(&self, at: Level) -> f64;

    /// The noise-to-signal ratio at a place.
    fn ratio(&self, place: f64) -> f64;

    /// Tries the step from `x` at the first level to the second.
    fn attempt(&mut self, trip: &Trip<'_, X>, x: &X, from: Level, to: Level) -> Trial<X>;

    /// Whether an attempt with this error is good enough, and the factor from its length to the next one's.
    fn pace(&mut self, error: f64) -> (bool, f64);
}

/// A step that was tried.
pub(super) struct Trial<X> {
    pub x: X,
    pub denoised: X,
    /// The error over the tolerance, at every place.
    pub error: X,
    /// Standard deviation of the noise that is added if the step is taken.
    pub fresh: f64,
}

/// `sum_i weights[i] * estimates[i]`, of one or more.
pub(super) fn sum<X: Latent>(estimates: &[X], weights: &[f64]) -> X {
    let head = estimates[0].scale(weights[0]);
    estimates.iter().zip(weights).skip(1).fold(head, |sum, (estimate, weight)| sum.mix(1.0, estimate, *weight))
}

/// `error` over what may be made of it between the points `a` and `b`, at every place.
pub(super) fn over_tolerance<X: Latent>(error: &X, a: &X, b: &X, [relative, absolute]: [f64; 2]) -> X {
    error.over(&a.larger(b).scale(relative).clamp(absolute, f64::INFINITY))
}

/// What an attempt may ask on its way.
pub(super) struct Trip<'a, X> {
    pub model: &'a dyn Denoiser<X>,
    pub schedule: &'a dyn NoiseSchedule,
    /// The level that the walk is on its way to.
    pub stop: Level,
}

/// A run of a [`Pair`].
///
/// Where the pair's coordinate is infinite, at pure noise or at the clean end, there is no error to control: one slide
/// leads from there to the grid's second level, or from its last noisy level to the end.
pub(super) struct Walker<'a, X, P> {
    pair: P,
    model: &'a dyn Denoiser<X>,
    schedule: &'a dyn NoiseSchedule,
    noise: &'a mut dyn Noise<X>,
    x: X,
    from: Level,
    /// The levels that must be met, the next one last.
    stops: Vec<Level>,
    /// Length of the next attempt.
    length: f64,
    trial: Option<(Trial<X>, Level)>,
    tally: Tally,
    rejected_in_a_row: usize,
}

impl<'a, X: Latent, P: Pair<X>> Walker<'a, X, P> {
    /// A walk whose first attempt has this length.
    pub fn new(pair: P, run: Run<'a, X>, length: f64) -> Self {
        let Run { start: x, grid, schedule, model, noise, .. } = run;
        let stops = stops(grid, |at| pair.place(at).is_finite());
        let (from, tally) = (grid.first(), Tally::default());
        Self { pair, model, schedule, noise, x, from, stops, length, trial: None, tally, rejected_in_a_row: 0 }
    }

    /// Where the next attempt goes, and whether it slides.
    fn aim(&self, stop: Level) -> (Level, bool) {
        let (here, there) = (self.pair.place(self.from), self.pair.place(stop));
        if !here.is_finite() || !there.is_finite() {
            return (stop, true);
        }
        let next = here + self.length;
        // What rounding leaves of the way is no step of its own.
        let arrived = next + 1e-5 * self.length >= there;
        (if arrived { stop } else { self.schedule.level_at(self.pair.ratio(next)) }, false)
    }
}

/// The last level, and those beside an end where the coordinate is infinite; the next one last.
fn stops(grid: &Grid, finite: impl Fn(Level) -> bool) -> Vec<Level> {
    let levels = grid.levels();
    let last = levels.len() - 1;
    let is_stop = |i: usize| i == last || (i == 1 && !finite(levels[0])) || (i + 1 == last && !finite(levels[last]));
    (1..=last).rev().filter(|i| is_stop(*i)).map(|i| levels[i]).collect()
}

impl<X: Latent, P: Pair<X>> Adaptive<X> for Walker<'_, X, P> {
    fn attempt(&mut self) -> Option<X> {
        let stop = *self.stops.last()?;
        let (to, slides) = self.aim(stop);
        let trial = if slides {
            let denoised = self.model.denoise(&self.x, self.from);
            let x = slide(&self.x, &denoised, self.from, to);
            // No error, unless the model gave no numbers.
            Trial { error: x.scale(0.0), x, denoised, fresh: 0.0 }
        } else {
            let trip = Trip { model: self.model, schedule: self.schedule, stop };
            self.pair.attempt(&trip, &self.x, self.from, to)
        };
        let error = trial.error.clone();
        self.trial = Some((trial, to));
        Some(error)
    }

    fn judge(&mut self, error: f64) -> Result<Option<Step<X>>, GaveUp> {
        let Some((Trial { x, denoised, fresh, .. }, to)) = self.trial.take() else { return Ok(None) };
        let slid = !self.pair.place(self.from).is_finite() || !self.pair.place(to).is_finite();
        let moved = to.nsr() < self.from.nsr();
        let (accepted, factor) = match error.is_finite() && moved {
            true if slid => (true, 1.0),
            true => self.pair.pace(error),
            false => (false, SHRINK),
        };
        self.length *= factor;
        let count = if accepted { &mut self.tally.accepted } else { &mut self.tally.rejected };
        *count += 1;
        self.rejected_in_a_row = if accepted { 0 } else { self.rejected_in_a_row + 1 };
        let attempts = self.tally.accepted + self.tally.rejected;
        if self.rejected_in_a_row == REJECTIONS || attempts == ATTEMPTS {
            self.stops.clear();
            return Err(GaveUp { attempts, nsr: self.from.nsr(), length: self.length });
        }
        if !accepted {
            return Ok(None);
        }
        let from = std::mem::replace(&mut self.from, to);
        let x = if fresh > 0.0 { x.mix(1.0, &self.noise.over(&x, from, to), fresh) } else { x };
        self.x = x.clone();
        if self.stops.last() == Some(&to) {
            self.stops.pop();
        }
        Ok(Some(Step { x, denoised, from, to }))
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}
