//! Floor 0: levels, schedules, grids and noise. No burn, no wasm.

pub mod dormand_prince;
pub mod grid;
pub mod latent;
pub mod level;
pub mod noise;
pub mod posterior;
pub mod schedule;
pub mod spacing;

pub use grid::{Grid, GridError};
pub use latent::Latent;
pub use level::Level;
pub use noise::{Noise, TorchGenerator};
pub use posterior::Posterior;
pub use schedule::{ContinuousVp, Discrete, Flow, NoiseSchedule, Rates, Schedule, ScheduleError, SubVp, Ve};
pub use spacing::{Spacing, SpacingError};

/// `n` numbers from `start` to `end`, both included; `start` alone where `n` is 1. Rounded as numpy's `linspace` rounds,
/// so that whole timesteps come out the same.
pub(crate) fn linspace(start: f64, end: f64, n: usize) -> Vec<f64> {
    let step = (end - start) / n.saturating_sub(1).max(1) as f64;
    (0..n).map(|i| if i > 0 && i + 1 == n { end } else { start + i as f64 * step }).collect()
}

/// `n` numbers from `start` downwards in steps of `step`, rounded as numpy's `arange` rounds.
pub(crate) fn downwards(start: f64, step: f64, n: usize) -> Vec<f64> {
    let step = (start - step) - start;
    (0..n).map(|i| start + i as f64 * step).collect()
}
