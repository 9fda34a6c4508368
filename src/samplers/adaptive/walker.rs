//! What every method of the family shares: the way from level to level, and what is done when a step fails.

use crate::denoise::Denoiser;
use crate::math::{Grid, Latent, Level, NoiseSchedule};
use crate::samplers::steps::slide;
use crate::samplers::{Adaptive, GaveUp, Run, Step, Tally};

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
}

/// What an attempt may ask on its way.
pub(super) struct Trip<'a, X> {
    pub model: &'a dyn Denoiser<X>,
    pub schedule: &'a dyn NoiseSchedule,
}

/// A run of a [`Pair`].
///
/// Where the pair's coordinate is infinite, at pure noise or at the clean end, there is no error to control: one slide
/// leads from there to the grid's second level, or from its last noisy level to the end.
pub(super) struct Walker<'a, X, P> {
    pair: P,
    trip: Trip<'a, X>,
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
        let Run { start, grid, schedule, model, .. } = run;
        let stops = stops(grid, |at| pair.place(at).is_finite());
        let trip = Trip { model, schedule };
        let tally = Tally::default();
        Self { pair, trip, x: start, from: grid.first(), stops, length, trial: None, tally, rejected_in_a_row: 0 }
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
        (if arrived { stop } else { self.trip.schedule.level_at(self.pair.ratio(next)) }, false)
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
        let (to, slides) = self.aim(*self.stops.last()?);
        let trial = if slides {
            let denoised = self.trip.model.denoise(&self.x, self.from);
            let x = slide(&self.x, &denoised, self.from, to);
            // No error, unless the model gave no numbers.
            Trial { error: x.scale(0.0), x, denoised }
        } else {
            self.pair.attempt(&self.trip, &self.x, self.from, to)
        };
        let error = trial.error.clone();
        self.trial = Some((trial, to));
        Some(error)
    }

    fn judge(&mut self, error: f64) -> Result<Option<Step<X>>, GaveUp> {
        let Some((Trial { x, denoised, .. }, to)) = self.trial.take() else { return Ok(None) };
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
