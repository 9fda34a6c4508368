use crate::math::{Latent, Level};
use crate::samplers::steps::slide;
use crate::samplers::{Run, Step, Steps};

/// Heun's method in a flow's own time (Liu et al. 2022, arXiv 2209.03003, section 2.1: the ODE `dz = v(z, t) dt`).
/// Order 2, two evaluations a step, from pure noise too; Euler's step to the clean end.
///
/// Any process becomes the straight path `z = (1 - t) x_0 + t eps` by `z = x / (alpha + sigma)` and
/// `t = sigma / (alpha + sigma)`. The mean of the velocities at both ends leads where one slide leads towards
/// `x_0 + (x_0' - x_0) t / 2t'`, with `x_0'` the estimate at the far end.
pub fn flow_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, .. } = run;
    let time = |at: Level| at.sigma / (at.alpha + at.sigma);
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let mut next = slide(&x, &denoised, from, to);
        if to.sigma > 0.0 {
            let ahead = model.denoise(&next, to);
            let c = 0.5 * time(from) / time(to);
            next = slide(&x, &denoised.mix(1.0 - c, &ahead, c), from, to);
        }
        x = next;
        Step { x: x.clone(), denoised, from, to }
    }))
}
