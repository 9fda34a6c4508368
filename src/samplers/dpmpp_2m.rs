use super::{Run, Step, Steps, slide};
use crate::math::Latent;

/// DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), algorithm 2. Order 2, one evaluation a step.
pub fn dpmpp_2m<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, .. } = run;
    let mut last: Option<(X, f64)> = None;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let h = to.lambda() - from.lambda();
        let target = match &last {
            Some((old, h_old)) if to.sigma > 0.0 => {
                let c = h / (2.0 * h_old);
                denoised.mix(1.0 + c, old, -c)
            }
            _ => denoised.clone(),
        };
        x = slide(&x, &target, from, to);
        last = Some((denoised.clone(), h));
        Step { x: x.clone(), denoised, from, to }
    }))
}
