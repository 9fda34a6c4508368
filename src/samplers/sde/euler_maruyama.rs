use super::NOISE_SCALE;
use crate::denoise::Estimate;
use crate::math::{Latent, Rates};
use crate::samplers::steps::renoise;
use crate::samplers::{Run, Step, Steps};

/// The Euler-Maruyama method on the reverse SDE, Song et al. 2021 (arXiv 2011.13456, equation 6 and appendix D):
/// `dx = (f x - g^2 score) dt + g dw`, with the `f` and `g` of the process where a step begins and the length of the step
/// in the process's own time. Weak order 1, one evaluation a step.
///
/// It is the one method that does not know the linear part's solution, so that its mean errs too. The signal of pure
/// noise has no finite `f`; there, and to the clean end, the step is that to the estimate with fresh noise.
pub fn euler_maruyama<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let scale = tuning.get(&NOISE_SCALE);
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        x = if from.alpha == 0.0 || to.sigma == 0.0 {
            renoise(&x, &x0, (from, to), (0.0, to.sigma * scale), noise)
        } else {
            let (Rates { drift, diffusion }, back) = (schedule.rates(from.t), from.t - to.t);
            // The score is -eps / sigma.
            let mean = x.mix(1.0 - drift * back, &eps, -diffusion * back / from.sigma);
            mean.mix(1.0, &noise.over(&x, from, to), (diffusion * back).sqrt() * scale)
        };
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}
