//! Floor 1: what a model is to a sampler, and what wraps it. No burn, no wasm.

pub mod guidance;
pub mod ideal;
pub mod prediction;
pub mod scheduler_config;

pub use guidance::Guided;
pub use ideal::Mixture;
pub use prediction::Prediction;
pub use scheduler_config::ConfigError;

use crate::math::Level;

/// A model as the samplers see it: it estimates the clean picture.
///
/// Labels, guidance, clipping and the network's own parameterisation are wrapped inside; no sampler knows of them.
pub trait Denoiser<X> {
    /// The estimate of `x_0` given `x` at noise level `at`: `E[x_0 | x_t = x]` for an exact denoiser.
    fn denoise(&self, x: &X, at: Level) -> X;
}

impl<X, F: Fn(&X, Level) -> X> Denoiser<X> for F {
    fn denoise(&self, x: &X, at: Level) -> X {
        self(x, at)
    }
}
