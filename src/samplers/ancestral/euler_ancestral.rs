use crate::math::Latent;
use crate::samplers::steps::{ancestral, compose};
use crate::samplers::{Run, Step, Steps};

/// Euler with ancestral noise, k-diffusion's name for the ancestral sampler of Song et al. 2021 (arXiv 2011.13456),
/// appendix F: an Euler step down to less noise than the grid asks for, then fresh noise up to it. Weak order 1, one
/// evaluation a step.
///
/// As an Euler step is a DDIM step, this is DDIM with the same `eta`: one walk that was found on two roads, and known
/// by both names.
pub fn euler_ancestral<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let estimate = model.estimate(&x, from);
        let (down, up) = ancestral(from, to, tuning.eta);
        x = compose(&estimate, (from, to), (down, up * tuning.noise_scale), noise);
        Step { x: x.clone(), denoised: estimate.x0, from, to }
    }))
}
