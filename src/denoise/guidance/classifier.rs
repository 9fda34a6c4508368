//! Guidance by a classifier of noisy pictures.

use crate::denoise::{Denoiser, Estimate};
use crate::math::{Latent, Level};

/// A classifier of noisy pictures, made for the class (one for each picture of a batch) that is wanted.
pub trait Classifier<X> {
    /// `grad_x log p(y | x_t = x)` at noise level `at`.
    fn gradient(&self, x: &X, at: Level) -> X;
}

/// A model guided by a classifier (Dhariwal & Nichol 2021, arXiv 2105.05233, algorithm 2; Song et al. 2021, arXiv
/// 2011.13456, appendix I): `eps - sigma * scale * grad`, and with it `x_0 + sigma^2 / alpha * scale * grad`.
///
/// At scale 1 an unconditional model with an exact classifier is the conditional model. At pure noise (`alpha = 0`) the
/// picture cannot be told from its gradient, which is 0, so the model is left as it is there.
#[derive(Clone, Copy, Debug)]
pub struct ClassifierGuided<D, C> {
    pub model: D,
    pub classifier: C,
    /// Gradient scale `s`, dimensionless. 0 is the model without a classifier.
    pub scale: f64,
}

impl<D, C> ClassifierGuided<D, C> {
    fn guides(&self, at: Level) -> bool {
        self.scale != 0.0 && at.alpha > 0.0
    }
}

impl<X: Latent, D: Denoiser<X>, C: Classifier<X>> Denoiser<X> for ClassifierGuided<D, C> {
    fn denoise(&self, x: &X, at: Level) -> X {
        let x0 = self.model.denoise(x, at);
        if !self.guides(at) {
            return x0;
        }
        x0.mix(1.0, &self.classifier.gradient(x, at), at.nsr() * at.sigma * self.scale)
    }

    fn estimate(&self, x: &X, at: Level) -> Estimate<X> {
        let said = self.model.estimate(x, at);
        if !self.guides(at) {
            return said;
        }
        let gradient = self.classifier.gradient(x, at);
        Estimate {
            x0: said.x0.mix(1.0, &gradient, at.nsr() * at.sigma * self.scale),
            eps: said.eps.mix(1.0, &gradient, -at.sigma * self.scale),
            ..said
        }
    }
}
