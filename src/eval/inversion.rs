//! From data back to the noise that a deterministic sampler would turn into it.

use crate::denoise::{Denoiser, Estimate};
use crate::math::{Grid, Latent, Level};
use crate::samplers::ddim_inverse;

/// A way up the probability-flow ODE, from a cleaner level to a noisier one. In noise-to-signal coordinates
/// `y = x / alpha`, `s = sigma / alpha` its slope is the noise `eps` that the model sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inversion {
    /// `y' = y + (s' - s) eps(y, s)`: DDIM's step, upwards (Song et al. 2021, arXiv 2010.02502, equation 13; Dhariwal &
    /// Nichol 2021, arXiv 2105.05233, appendix F). Order 1, one evaluation a step. The sampler [`ddim_inverse()`].
    Ddim,
    /// Heun's method: the mean of the slopes at both ends. Order 2, two evaluations a step.
    Heun,
}

impl Inversion {
    /// Every way, each with its id on the command line.
    pub const ALL: [(&'static str, Self); 2] = [("ddim", Self::Ddim), ("heun", Self::Heun)];
}

/// The point at the first level of `grid` from which its steps end at `x`, which stands at its last. The steps are
/// taken from the last to the first.
///
/// At a clean end no noise can be seen; the slope of the step from there is the one at its other end. A step to pure
/// noise is infinitely long in `s` and so DDIM's.
pub fn invert<X: Latent + 'static>(x: X, grid: &Grid, model: &dyn Denoiser<X>, inversion: Inversion) -> X {
    let upwards: Vec<_> = grid.pairs().map(|(noisier, cleaner)| (cleaner, noisier)).collect();
    let mut steps: Vec<_> = upwards.into_iter().rev().collect();
    let mut x = x;
    if let Some(&(from, to)) = steps.first().filter(|(from, _)| from.sigma == 0.0) {
        let slope = noise(model, &x.scale(to.alpha / from.alpha), to);
        x = climb(&x, &slope, from, to);
        steps.remove(0);
    }
    match inversion {
        Inversion::Ddim => ddim_inverse(x.clone(), &steps, model).last().map_or(x, |step| step.x),
        Inversion::Heun => steps.into_iter().fold(x, |x, (from, to)| heun(&x, from, to, model)),
    }
}

fn heun<X: Latent>(x: &X, from: Level, to: Level, model: &dyn Denoiser<X>) -> X {
    let slope = noise(model, x, from);
    let ahead = climb(x, &slope, from, to);
    if to.alpha == 0.0 {
        return ahead;
    }
    let second = noise(model, &ahead, to);
    climb(x, &slope.mix(0.5, &second, 0.5), from, to)
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
