//! Classifier-free guidance.

use super::Denoiser;
use crate::math::{Latent, Level};

/// Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598, equation 6) in the scale convention of the field's
/// tools: 0 is the unconditional model, 1 the conditional one, above 1 pushes away from the unconditional one.
///
/// Both estimates are affine in the network's output with the same coefficients, so mixing `x_0` estimates equals
/// mixing `eps`.
pub struct Guided<C, U> {
    /// The model that is told the class.
    pub conditional: C,
    /// The model that is not.
    pub unconditional: U,
    /// Guidance scale, dimensionless.
    pub scale: f64,
}

/// `unconditional + scale * (conditional - unconditional)`.
pub fn guide<X: Latent>(conditional: &X, unconditional: &X, scale: f64) -> X {
    conditional.mix(scale, unconditional, 1.0 - scale)
}

impl<X: Latent, C: Denoiser<X>, U: Denoiser<X>> Denoiser<X> for Guided<C, U> {
    fn denoise(&self, x: &X, at: Level) -> X {
        guide(&self.conditional.denoise(x, at), &self.unconditional.denoise(x, at), self.scale)
    }
}
