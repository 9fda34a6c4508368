use crate::math::Latent;
use crate::samplers::steps::slide;
use crate::samplers::{Run, Step, Steps};

/// Inner steps a level: `T` of algorithm 1. The paper's 100 serve ten levels; a grid has tens, each close to the next,
/// so that few are enough.
const INNER: u32 = 5;

/// Step size over the squared noise-to-signal ratio, `alpha_i / sigma_i^2` of algorithm 1: the same at every level. At 1
/// an inner step goes half the way to the estimate and adds the level's own noise. The paper's 0.2 leaves a narrower
/// bias, but in few steps it falls behind the levels.
const STEP: f64 = 1.0;

/// Annealed Langevin dynamics, Song & Ermon 2019 (arXiv 1907.05600), algorithm 1, ended by the denoised estimate
/// (Jolicoeur-Martineau et al. 2020, arXiv 2009.05475). Weak order 1, five evaluations a step.
///
/// In noise-to-signal coordinates `y = x / alpha` the score is `(x_0 - y) / s^2`: a step of size `STEP * s^2` moves `y`
/// by `STEP / 2` of the way to `x_0` and adds noise of variance `STEP * s^2`. A new level takes `y` over as it is; as
/// pure noise has none, the step from there slides.
///
/// The chain is not adjusted. What it settles on, and what the order is towards, is the marginal widened: a variance of
/// `V / (1 - STEP s^2 / 4V)` where the marginal of `y` has `V`. That vanishes with the noise.
pub fn langevin<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = if from.alpha == 0.0 || to.sigma == 0.0 {
            let denoised = model.denoise(&x, from);
            x = slide(&x, &denoised, from, to);
            denoised
        } else {
            x = x.scale(to.alpha / from.alpha);
            let mut inner = || {
                let denoised = model.denoise(&x, to);
                x = x.mix(1.0 - STEP / 2.0, &denoised, to.alpha * STEP / 2.0);
                x = x.mix(1.0, &noise.normal(&x), to.sigma * STEP.sqrt());
                denoised
            };
            (1..INNER).for_each(|_| drop(inner()));
            inner()
        };
        Step { x: x.clone(), denoised, from, to }
    }))
}
