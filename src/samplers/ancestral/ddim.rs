use crate::denoise::Estimate;
use crate::math::Latent;
use crate::samplers::steps::ancestral;
use crate::samplers::{Run, Step, Steps};

/// DDIM, Song et al. 2021 (arXiv 2010.02502), equation 12 with the sigma of equation 16. Order 1, one evaluation a step.
///
/// `eta` 0 is the deterministic method, 1 is DDPM with its small variance.
pub fn ddim<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let eta = tuning.eta;
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        let (kept, fresh) = ancestral(from, to, eta);
        x = x0.mix(to.alpha, &eps, kept);
        if fresh > 0.0 {
            x = x.mix(1.0, &noise.over(&x, from, to), fresh);
        }
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}
