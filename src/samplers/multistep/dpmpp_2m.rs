use crate::math::Latent;
use crate::samplers::steps::{midpoint, slide};
use crate::samplers::{Run, Step, Steps};

/// DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), algorithm 2. Order 2, one evaluation a step.
///
/// A last step to the clean end is of order 1, in k-diffusion and diffusers alike. On grids that stop short of it every
/// step is of order 2, as in k-diffusion and the paper; diffusers' `lower_order_final` would lower the last one there
/// when the run has fewer than 15 steps.
pub fn dpmpp_2m<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let orders = run.orders();
    let Run { start: mut x, grid, model, .. } = run;
    let mut last = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        if orders.at(i) < 2 {
            last = None;
        }
        let denoised = model.denoise(&x, from);
        let h = to.lambda() - from.lambda();
        x = slide(&x, &midpoint(&denoised, &last, h), from, to);
        last = Some((denoised.clone(), h));
        Step { x: x.clone(), denoised, from, to }
    }))
}
