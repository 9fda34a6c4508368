use crate::math::Latent;
use crate::samplers::steps::slide;
use crate::samplers::{Run, Step, Steps};

/// Euler's method on the probability-flow ODE, Karras et al. 2022 (arXiv 2206.00364), algorithm 1 without its
/// correction. Order 1, one evaluation a step.
///
/// The slope `(x - x_0) / sigma` in noise-to-signal coordinates is the noise that the model sees in `x`. Following it
/// keeps noise and `x_0` what they are, so an Euler step is a DDIM step, for flows in their own time too.
pub fn euler<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        x = slide(&x, &denoised, from, to);
        Step { x: x.clone(), denoised, from, to }
    }))
}
