//! From data back to the noise that a deterministic sampler would turn into it.

use crate::denoise::{Denoiser, Estimate};
use crate::math::{Grid, Latent, Level};

/// A way up the probability-flow ODE, from a cleaner level to a noisier one. In noise-to-signal coordinates
/// `y = x / alpha`, `s = sigma / alpha` its slope is the noise `eps` that the model sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inversion {
    /// `y' = y + (s' - s) eps(y, s)`: DDIM's step, upwards (Song et al. 2021, arXiv 2010.02502, equation 13; Dhariwal &
    /// Nichol 2021, arXiv 2105.05233, appendix F). Order 1, one evaluation a step.
    Ddim,
    /// Heun's method: the mean of the slopes at both ends. Order 2, two evaluations a step.
    Heun,
}

impl Inversion {
    /// Every way, each with its id on the command line.
    pub const ALL: [(&'static str, Self); 2] = [("ddim", Self::Ddim), ("heun", Self::Heun)];
}

/// The point at the first level of `grid` from which its steps lead to `x`, which stands at its last. The steps are
/// walked from the last to the first.
///
/// At a clean end no noise can be seen; the slope of the step from there is the one at its other end. A step to pure
/// noise is infinitely long in `s` and so DDIM's.
pub fn invert<X: Latent>(x: X, grid: &Grid, model: &dyn Denoiser<X>, inversion: Inversion) -> X {
    let steps: Vec<_> = grid.pairs().collect();
    steps.into_iter().rev().fold(x, |x, (to, from)| {
        let ahead = |slope: &X| climb(&x, slope, from, to);
        let slope = match from.sigma {
            0.0 => noise(model, &x.scale(to.alpha / from.alpha), to),
            _ => noise(model, &x, from),
        };
        if inversion == Inversion::Ddim || from.sigma == 0.0 || to.alpha == 0.0 {
            return ahead(&slope);
        }
        let second = noise(model, &ahead(&slope), to);
        ahead(&slope.mix(0.5, &second, 0.5))
    })
}

fn noise<X: Latent>(model: &dyn Denoiser<X>, x: &X, at: Level) -> X {
    let Estimate { eps, .. } = model.estimate(x, at);
    eps
}

/// Follows `slope`, a noise, from one level to a noisier one.
fn climb<X: Latent>(x: &X, slope: &X, from: Level, to: Level) -> X {
    let keep = to.alpha / from.alpha;
    x.mix(keep, slope, to.sigma - from.sigma * keep)
}
