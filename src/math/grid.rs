//! The noise levels that a run walks through.

use super::Level;
use thiserror::Error;

/// Noise levels from noisy to clean, checked once so that no sampler has to.
///
/// Every value is finite, the signal-to-noise ratio rises strictly, and there are at least two levels. Only the last
/// level may be clean (`sigma = 0`) and only the first may be pure noise (`alpha = 0`).
#[derive(Clone, Debug, PartialEq)]
pub struct Grid(Vec<Level>);

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
        let valid = |l: &Level| {
            let range = 0.0..f64::INFINITY;
            l.t.is_finite() && range.contains(&l.alpha) && range.contains(&l.sigma) && l.alpha + l.sigma > 0.0
        };
        if let Some((index, l)) = levels.iter().enumerate().find(|(_, l)| !valid(l)) {
            return Err(GridError::NotFinite { index, alpha: l.alpha, sigma: l.sigma });
        }
        let ratios = levels.iter().map(Level::nsr);
        for (index, (before, after)) in ratios.clone().zip(ratios.skip(1)).enumerate() {
            if after >= before {
                return Err(GridError::NotFalling { index: index + 1, before, after });
            }
        }
        Ok(Self(levels))
    }

    /// All levels, noisy first: one more than there are steps.
    pub fn levels(&self) -> &[Level] {
        &self.0
    }

    /// Number of steps, at least 1.
    pub fn steps(&self) -> usize {
        self.0.len() - 1
    }

    /// The level that a run starts from.
    pub fn first(&self) -> Level {
        self.0[0]
    }

    /// The steps in order, each as (from, to).
    pub fn pairs(&self) -> impl Iterator<Item = (Level, Level)> + '_ {
        self.0.windows(2).map(|w| (w[0], w[1]))
    }
}
