use crate::math::Latent;
use crate::samplers::steps::{ratio, renoise};
use crate::samplers::{Run, Step, Steps};

/// SDE-DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), section 5, with the midpoint rule and k-diffusion's `eta`.
/// Weak order 2, one evaluation a step.
pub fn midpoint<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |_| 0.5)
}

/// SDE-DPM-Solver++(2M) with the exact integral of the line through two estimates, which k-diffusion and diffusers call
/// the Heun type. Weak order 2, one evaluation a step.
pub fn heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |h| -1.0 / (-h).exp_m1() - 1.0 / h)
}

/// A step of length `h` in log-SNR keeps `exp(-eta h)` of the noise at its end, the exact solution of the linear part.
/// `eta` 1 is the reverse SDE; at 0 the method is DPM-Solver++(2M). The line through this estimate and the last is taken
/// where `place` says, as a part of the step, given `(1 + eta) h`. An infinite step, to the clean end, has no such place.
fn sample<X: Latent + 'static>(run: Run<'_, X>, place: fn(f64) -> f64) -> Steps<'_, X> {
    let orders = run.orders();
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let mut last: Option<(X, f64)> = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        let h = to.lambda() - from.lambda();
        let target = match &last {
            Some((old, h_old)) if orders.at(i) > 1 && h.is_finite() => {
                let c = place((1.0 + tuning.eta) * h) * h / h_old;
                denoised.mix(1.0 + c, old, -c)
            }
            _ => denoised.clone(),
        };
        let kept = ratio(from, to).powf(tuning.eta);
        let fresh = tuning.noise_scale * (1.0 - kept * kept).sqrt();
        x = renoise(&x, &target, (from, to), (to.sigma * kept, to.sigma * fresh), noise);
        last = Some((denoised.clone(), h));
        Step { x: x.clone(), denoised, from, to }
    }))
}
