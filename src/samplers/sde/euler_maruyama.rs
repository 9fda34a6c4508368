use super::{ETA, ETA_SCALE};
use crate::denoise::Estimate;
use crate::math::{Latent, Rates};
use crate::samplers::steps::{ancestral, renoise};
use crate::samplers::{Run, Step, Steps};

/// The Euler-Maruyama method on the reverse SDE, Song et al. 2021 (arXiv 2011.13456, equation 6 and appendix D), or on one of the
/// family that has its marginals (Zhang & Chen 2023, arXiv 2204.13902, section 2, where `eta` is `lambda`):
/// `dx = (f x - (1 + eta^2)/2 g^2 score) dt + eta g dw`, with the `f` and `g` of the process where a step begins and the length of the
/// step in the process's own time. `eta` 1 is the reverse SDE, 0 the probability-flow ODE. Weak order 1, one evaluation a step.
///
/// It is the one method that does not know the linear part's solution, so that its mean errs too. The signal of pure
/// noise has no finite `f`; there, and to the clean end, the step is that of DDIM with `eta` of the posterior's noise.
pub fn euler_maruyama<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&ETA_SCALE));
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        x = if from.alpha == 0.0 || to.sigma == 0.0 {
            let (kept, fresh) = ancestral(from, to, eta);
            renoise(&x, &x0, (from, to), (kept, fresh * scale), noise)
        } else {
            let (Rates { drift, diffusion }, back) = (schedule.rates(from.t), from.t - to.t);
            // The score is -eps / sigma.
            let pull = 0.5 * (1.0 + eta * eta) * diffusion * back / from.sigma;
            let mean = x.mix(1.0 - drift * back, &eps, -pull);
            let fresh = eta * (diffusion * back).sqrt() * scale;
            if fresh > 0.0 { mean.mix(1.0, &noise.over(&x, from, to), fresh) } else { mean }
        };
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}
