use crate::math::Latent;
use crate::samplers::steps::{ratio, slide};
use crate::samplers::{Run, Step, Steps};

/// Heun's method on the probability-flow ODE, Karras et al. 2022 (arXiv 2206.00364), algorithm 1. Order 2, two
/// evaluations a step.
///
/// In noise-to-signal coordinates `y = x / alpha` the slope is `(y - x_0) / s`. The mean of the slopes at both ends
/// leads where one slide leads towards `x_0 + (x_0' - x_0) / 2r`, with `x_0'` the estimate at the far end and
/// `r = s' / s`. At the clean end the slope is undefined, and from pure noise the step is infinitely long, so there the
/// step is Euler's, as it is in the paper's last step.
pub fn heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let mut next = slide(&x, &denoised, from, to);
        let c = 1.0 / (2.0 * ratio(from, to));
        if c.is_finite() {
            let ahead = model.denoise(&next, to);
            next = slide(&x, &denoised.mix(1.0 - c, &ahead, c), from, to);
        }
        x = next;
        Step { x: x.clone(), denoised, from, to }
    }))
}
