use crate::denoise::Estimate;
use crate::math::Latent;
use crate::samplers::steps::{Churn, slide};
use crate::samplers::{Run, Step, Steps};

/// Euler's method on the probability-flow ODE, Karras et al. 2022 (arXiv 2206.00364), algorithm 2 without its
/// correction. Order 1, one evaluation a step.
///
/// The slope `(x - x_0) / sigma` in noise-to-signal coordinates is the noise that the model sees in `x`. Following it
/// keeps noise and `x_0` what they are, so an Euler step is a DDIM step, for flows in their own time too.
pub fn euler<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let churn = Churn::new(tuning, grid.steps(), schedule);
    Box::new(grid.pairs().map(move |(from, to)| {
        let (lifted, hat) = churn.lift(x.clone(), from, noise);
        let Estimate { x0, eps, .. } = model.estimate(&lifted, hat);
        x = x0.mix(to.alpha, &eps, to.sigma);
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}

/// Euler's method as diffusers churns it: the model is asked before the noise is added, not after, and its estimate of
/// the noise is taken for that of the noisier point. Order 1, with a greater error than [`euler`]'s; the last step's
/// churn stays in the picture. It is here so that pictures made with it can be made again.
///
/// diffusers' networks that predict something else than the noise keep that instead, which is another walk.
pub fn euler_late<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let churn = Churn::new(tuning, grid.steps(), schedule);
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        let (lifted, hat) = churn.lift(x.clone(), from, noise);
        let churned = hat.nsr() > from.nsr();
        let denoised = if churned { lifted.mix(1.0 / hat.alpha, &eps, -hat.nsr()) } else { x0 };
        x = slide(&lifted, &denoised, hat, to);
        Step { x: x.clone(), denoised, from, to }
    }))
}
