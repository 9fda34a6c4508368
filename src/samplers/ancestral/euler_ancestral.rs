use crate::math::Latent;
use crate::samplers::steps::{ancestral, compose};
use crate::samplers::{Knob, Run, Step, Steps, steps};

/// The part of the posterior's standard deviation that is fresh noise.
pub const ETA: Knob = steps::ETA;

/// A factor on the standard deviation of the fresh noise.
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE.needs(&ETA);

/// Euler with ancestral noise, k-diffusion's name for the ancestral sampler of Song et al. 2021 (arXiv 2011.13456),
/// appendix F: an Euler step down to less noise than the grid asks for, then fresh noise up to it. Weak order 1, one
/// evaluation a step.
///
/// An Euler step is a DDIM step, so this is equivalent to DDIM with the same `eta`.
pub fn euler_ancestral<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&NOISE_SCALE));
    Box::new(grid.pairs().map(move |(from, to)| {
        let estimate = model.estimate(&x, from);
        let (down, up) = ancestral(from, to, eta);
        x = compose(&estimate, (from, to), (down, up * scale), noise);
        Step { x: x.clone(), denoised: estimate.x0, from, to }
    }))
}
