//! The noise levels of a run.

use super::Level;
use thiserror::Error;

/// Noise levels from noisy to clean, checked once so that no sampler has to.
///
/// Every value is finite, in every step the signal-to-noise ratio rises strictly, and there is at least one step. Only
/// the last level may be clean (`sigma = 0`) and only the first may be pure noise (`alpha = 0`).
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    steps: Vec<(Level, Level)>,
}

/// The largest relative difference of two noise-to-signal ratios that are the same on different ways of computing them.
const ROUNDING: f64 = 1e-6;

/// Why a list of levels is not a grid.
#[derive(Debug, Error, PartialEq)]
pub enum GridError {
    #[error("a run needs at least 1 step, got {0}")]
    TooShort(usize),
    #[error("a run may have at most {most} steps, got {steps}")]
    TooLong { steps: usize, most: usize },
    #[error("noise level {index} is not a finite alpha >= 0 and sigma >= 0: alpha {alpha}, sigma {sigma}")]
    NotFinite { index: usize, alpha: f64, sigma: f64 },
    #[error("noise level {index} is not less noisy than the one before it (sigma/alpha {after} after {before})")]
    NotFalling { index: usize, before: f64, after: f64 },
}

impl Grid {
    /// Checks `levels`, which run from noisy to clean.
    ///
    /// # Errors
    /// Fewer than two levels; a value that is negative, infinite or not a number; a noise-to-signal ratio that does not fall.
    pub fn new(levels: Vec<Level>) -> Result<Self, GridError> {
        if levels.len() < 2 {
            return Err(GridError::TooShort(levels.len().saturating_sub(1)));
        }
        Self::of_steps(levels.windows(2).map(|w| (w[0], w[1])).collect())
    }

    /// Checks `steps`, each as (from, to). A step usually begins where the one before it ended; some runs of diffusers
    /// do not (DDIM's timesteps are listed with one spacing and stepped with another), and are described like this.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_steps(steps: Vec<(Level, Level)>) -> Result<Self, GridError> {
        if steps.is_empty() {
            return Err(GridError::TooShort(0));
        }
        let valid = |l: &Level| {
            let range = 0.0..f64::INFINITY;
            l.t.is_finite() && range.contains(&l.alpha) && range.contains(&l.sigma) && l.alpha + l.sigma > 0.0
        };
        let ends = steps.iter().enumerate().flat_map(|(i, (from, to))| [(i, from), (i + 1, to)]);
        if let Some((index, l)) = ends.into_iter().find(|(_, l)| !valid(l)) {
            return Err(GridError::NotFinite { index, alpha: l.alpha, sigma: l.sigma });
        }
        for (index, (from, to)) in steps.iter().enumerate() {
            let (before, after) = (from.nsr(), to.nsr());
            if after >= before {
                return Err(GridError::NotFalling { index: index + 1, before, after });
            }
        }
        Ok(Self { steps })
    }

    /// The level that so many of its steps lead to.
    pub fn after(&self, steps: usize) -> Level {
        steps.checked_sub(1).map_or(self.first(), |last| self.steps.get(last).map_or(self.last(), |(_, to)| *to))
    }

    /// The steps that end at less noise than `level` has; the first of them begins there. `None` where there is none. Levels that
    /// rounding alone tells apart are one.
    pub fn below(&self, level: Level) -> Option<Self> {
        let less = |to: Level| to.nsr() < level.nsr() * (1.0 - ROUNDING);
        let mut steps: Vec<_> = self.steps.iter().copied().filter(|(_, to)| less(*to)).collect();
        steps.first_mut()?.0 = level;
        Self::of_steps(steps).ok()
    }

    /// All levels, noisy first: where each step begins, and where the last one ends.
    pub fn levels(&self) -> Vec<Level> {
        self.steps.iter().map(|(from, _)| *from).chain([self.last()]).collect()
    }

    /// Number of steps, at least 1.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The level that a run starts from.
    pub fn first(&self) -> Level {
        self.steps[0].0
    }

    /// The level that a run ends at.
    pub fn last(&self) -> Level {
        self.steps[self.steps.len() - 1].1
    }

    /// The steps in order, each as (from, to).
    pub fn pairs(&self) -> impl Iterator<Item = (Level, Level)> + '_ {
        self.steps.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{ContinuousVp, NoiseSchedule, Spacing};

    #[test]
    fn a_grid_below_one_of_its_levels_is_the_rest_of_it() {
        let grid = Spacing::Trailing.grid(&ContinuousVp::default(), 9).unwrap();
        for (i, level) in grid.levels().into_iter().enumerate().take(9) {
            let rest: Vec<_> = grid.pairs().skip(i).collect();
            assert_eq!(grid.below(level), Grid::of_steps(rest).ok());
        }
        assert_eq!(grid.below(grid.last()), None);
    }

    #[test]
    fn a_level_between_two_begins_a_shorter_step() {
        let schedule = ContinuousVp::default();
        let grid = Spacing::Trailing.grid(&schedule, 9).unwrap();
        let [.., before, after, _] = grid.levels()[..] else { unreachable!() };
        let level = schedule.level_at((before.nsr() * after.nsr()).sqrt());
        assert_eq!(grid.below(level).unwrap().levels(), [level, after, grid.last()]);
        // A level that is one of the grid's but for its last digits makes no step of its own.
        let near = Level { sigma: after.sigma * (1.0 + 1e-12), ..after };
        assert_eq!(grid.below(near).unwrap().levels(), [near, grid.last()]);
    }
}
