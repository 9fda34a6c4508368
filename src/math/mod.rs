//! Floor 0: levels, schedules, grids and noise. No burn, no wasm.

pub mod grid;
pub mod latent;
pub mod level;
pub mod noise;
pub mod schedule;
pub mod spacing;

pub use grid::{Grid, GridError};
pub use latent::Latent;
pub use level::Level;
pub use noise::{Noise, TorchGenerator};
pub use schedule::{ContinuousVp, Discrete, Flow, NoiseSchedule, Schedule, ScheduleError, Ve};
pub use spacing::Spacing;

/// `n` numbers from `start` to `end`, both included; `start` alone where `n` is 1.
pub(crate) fn linspace(start: f64, end: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| if i == 0 { start } else { start + (end - start) * i as f64 / (n - 1) as f64 }).collect()
}
