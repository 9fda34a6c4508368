//! Floor 1: what a model is to a sampler, and what wraps it. No burn, no wasm.

pub mod clip;
pub mod edit;
pub mod guidance;
pub mod ideal;
pub mod inpaint;
pub mod prediction;

pub use clip::{Clip, Clipped};
pub use edit::{last_share, noised};
pub use guidance::{Branch, Branches, Classifier, ClassifierGuided, Guidance, GuidanceKind, Guided};
pub use ideal::Mixture;
pub use inpaint::Inpainted;
pub use prediction::Prediction;

use crate::math::{Latent, Level};

/// What a model says of a noisy point.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate<X> {
    /// The clean picture, `E[x_0 | x_t = x]` for an exact model.
    pub x0: X,
    /// The noise, `E[eps | x_t = x]` for an exact model. It need not be the one that `x0` implies: a clipped `x0` may
    /// stand beside the noise of the unclipped one, and CFG++ keeps the noise of the unguided model.
    pub eps: X,
    /// Where the model learned its variance: how far it lies between the smallest (-1) and the largest (1) that DDPM
    /// knows (Nichol & Dhariwal 2021, arXiv 2102.09672, equation 15).
    pub variance: Option<X>,
}

impl<X: Latent> Estimate<X> {
    /// The estimate whose noise is the one that `x0` implies. Needs `sigma > 0`.
    pub fn of_x0(x: &X, x0: X, at: Level) -> Self {
        let eps = x.mix(1.0 / at.sigma, &x0, -at.alpha / at.sigma);
        Self { x0, eps, variance: None }
    }
}

/// A model as the samplers see it: it estimates the clean picture.
///
/// Labels, guidance, clipping and the network's own parameterisation are wrapped inside; no sampler knows of them.
pub trait Denoiser<X> {
    /// The estimate of `x_0` given `x` at noise level `at`: `E[x_0 | x_t = x]` for an exact denoiser.
    fn denoise(&self, x: &X, at: Level) -> X;

    /// All that the model says, from one evaluation too. Needs `sigma > 0`.
    fn estimate(&self, x: &X, at: Level) -> Estimate<X>
    where
        X: Latent,
    {
        Estimate::of_x0(x, self.denoise(x, at), at)
    }
}

impl<X, F: Fn(&X, Level) -> X> Denoiser<X> for F {
    fn denoise(&self, x: &X, at: Level) -> X {
        self(x, at)
    }
}
