use crate::math::Latent;
use crate::samplers::steps::{ancestral, compose};
use crate::samplers::{Knob, Run, Step, Steps, steps};

/// The part of the posterior's standard deviation that is fresh noise: 0 is deterministic, 1 is DDPM with its small
/// variance.
pub const ETA: Knob = steps::ETA.at(0.0);

/// DDIM, Song et al. 2021 (arXiv 2010.02502), equation 12 with the sigma of equation 16. Order 1, one evaluation a step.
pub fn ddim<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let eta = tuning.get(&ETA);
    Box::new(grid.pairs().map(move |(from, to)| {
        let estimate = model.estimate(&x, from);
        x = compose(&estimate, (from, to), ancestral(from, to, eta), noise);
        Step { x: x.clone(), denoised: estimate.x0, from, to }
    }))
}
