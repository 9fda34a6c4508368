use crate::math::Latent;
use crate::samplers::steps::{midpoint, ratio, renoise};
use crate::samplers::{Run, Step, Steps};

/// SDE-DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), with the midpoint rule and k-diffusion's `eta`. Weak order
/// 2, one evaluation a step.
///
/// A step of length `h` in log-SNR keeps `exp(-eta h)` of the noise at its end, the exact solution of the linear part.
/// `eta` 1 is the reverse SDE; at 0 the method is DPM-Solver++(2M).
pub fn dpmpp_2m_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let mut last = None;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let h = to.lambda() - from.lambda();
        let kept = ratio(from, to).powf(tuning.eta);
        let fresh = tuning.noise_scale * (1.0 - kept * kept).sqrt();
        let split = (to.sigma * kept, to.sigma * fresh);
        x = renoise(&x, &midpoint(&denoised, &last, h), (from, to), split, noise);
        last = Some((denoised.clone(), h));
        Step { x: x.clone(), denoised, from, to }
    }))
}
