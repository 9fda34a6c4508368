use crate::math::Latent;
use crate::samplers::steps::{ancestral, compose};
use crate::samplers::{Run, Step, Steps};

/// DDIM, Song et al. 2021 (arXiv 2010.02502), equation 12 with the sigma of equation 16. Order 1, one evaluation a step.
///
/// `eta` 0 is the deterministic method, 1 is DDPM with its small variance.
pub fn ddim<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let estimate = model.estimate(&x, from);
        x = compose(&estimate, (from, to), ancestral(from, to, tuning.eta), noise);
        Step { x: x.clone(), denoised: estimate.x0, from, to }
    }))
}
