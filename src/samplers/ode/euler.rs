use crate::denoise::Estimate;
use crate::math::{Latent, Level};
use crate::samplers::steps::{Churn, slide};
use crate::samplers::{Run, Step, Steps};

/// Euler's method on the probability-flow ODE, Karras et al. 2022 (arXiv 2206.00364), algorithm 2 without its
/// correction. Order 1, one evaluation a step.
///
/// The slope `(x - x_0) / sigma` in noise-to-signal coordinates is the noise that the model sees in `x`. Following it
/// keeps noise and `x_0` what they are, so an Euler step is a DDIM step, for flows in their own time too.
pub fn euler<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let churn = Churn::new(&tuning, grid.steps(), schedule);
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
pub fn euler_churn_late<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    late(run, |lifted, (_, Estimate { eps, .. }), (_, hat)| lifted.mix(1.0 / hat.alpha, eps, -hat.nsr()))
}

/// The same as diffusers churns networks that predict `v` (Salimans & Ho 2022, arXiv 2202.00512, appendix D): the point has
/// the noise already where `v` is turned into `x_0`, the level not yet.
pub fn euler_velocity_churn_late<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    late(run, |lifted, (x, Estimate { x0, .. }), (from, hat)| {
        let skip = 1.0 / (1.0 + from.nsr().powi(2));
        x0.mix(1.0, lifted, skip / hat.alpha).mix(1.0, x, -skip / from.alpha)
    })
}

/// The same as diffusers churns EDM's networks: what is kept for the noisier point is the preconditioned output, `F` in
/// Karras et al. 2022 (arXiv 2206.00364), equation 7, for data of standard deviation 0.5.
pub fn euler_edm_churn_late<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    const DATA: f64 = 0.5;
    let skip = |at: Level| DATA * DATA / (at.nsr().powi(2) + DATA * DATA);
    let out = |at: Level| at.nsr() * DATA / at.nsr().hypot(DATA);
    late(run, move |lifted, (x, Estimate { x0, .. }), (from, hat)| {
        let grow = out(hat) / out(from);
        let kept = lifted.mix(skip(hat) / hat.alpha, x, -grow * skip(from) / from.alpha);
        kept.mix(1.0, x0, grow)
    })
}

/// Euler's method that asks before it churns. `reread` is given the noisier point, the point and what was said of it, and
/// the two levels; it says what the estimate of `x_0` is at the noisier one.
fn late<'a, X: Latent + 'static>(
    run: Run<'a, X>,
    reread: impl Fn(&X, (&X, &Estimate<X>), (Level, Level)) -> X + 'a,
) -> Steps<'a, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let churn = Churn::new(&tuning, grid.steps(), schedule);
    Box::new(grid.pairs().map(move |(from, to)| {
        let said = model.estimate(&x, from);
        let (lifted, hat) = churn.lift(x.clone(), from, noise);
        let churned = hat.nsr() > from.nsr();
        let denoised = if churned { reread(&lifted, (&x, &said), (from, hat)) } else { said.x0 };
        x = slide(&lifted, &denoised, hat, to);
        Step { x: x.clone(), denoised, from, to }
    }))
}
