//! Keeping estimates of `x_0` within what a picture can be.

use super::{Denoiser, Estimate};
use crate::math::{Latent, Level};

/// What an estimate of `x_0` is brought into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Values from `low` to `high` (Ho et al. 2020's code; diffusers' `clip_sample`).
    Range { low: f64, high: f64 },
    /// Dynamic thresholding (Saharia et al. 2022, arXiv 2205.11487, section 2.3) for pictures within -1..=1: clipped to
    /// the `ratio` quantile of each picture's own magnitudes, `1..=most`, and divided by it. diffusers' names for the two
    /// are `dynamic_thresholding_ratio` (0.995 by default) and `sample_max_value`. `ratio` lies in 0..=1, `most` is at
    /// least 1.
    Dynamic { ratio: f64, most: f64 },
}

impl Clip {
    fn apply<X: Latent>(self, x0: &X) -> X {
        match self {
            Self::Range { low, high } => x0.clamp(low, high),
            Self::Dynamic { ratio, most } => {
                let limit = x0.quantile_of_magnitudes(ratio).clamp(1.0, most);
                x0.over(&limit).clamp(-1.0, 1.0)
            }
        }
    }
}

/// A model whose estimates of `x_0` are clipped.
#[derive(Clone, Copy, Debug)]
pub struct Clipped<D> {
    pub model: D,
    pub clip: Clip,
    /// Whether [`estimate`](Denoiser::estimate) gives the noise that the clipped `x_0` implies (diffusers'
    /// `use_clipped_model_output`), or leaves the model's own beside it.
    pub use_clipped_model_output: bool,
}

impl<X: Latent, D: Denoiser<X>> Denoiser<X> for Clipped<D> {
    fn denoise(&self, x: &X, at: Level) -> X {
        self.clip.apply(&self.model.denoise(x, at))
    }

    fn estimate(&self, x: &X, at: Level) -> Estimate<X> {
        let said = self.model.estimate(x, at);
        let x0 = self.clip.apply(&said.x0);
        if self.use_clipped_model_output {
            Estimate { variance: said.variance, ..Estimate::of_x0(x, x0, at) }
        } else {
            Estimate { x0, ..said }
        }
    }
}
