use super::NOISE_SCALE;
use crate::denoise::Estimate;
use crate::math::Latent;
use crate::samplers::steps::renoise;
use crate::samplers::{Knob, Run, Step, Steps};

/// How many estimates the line goes through.
pub const ORDER: Knob = Knob::whole("order", 1, 2, 2);

/// SDE-DPM-Solver, Lu et al. 2022 (arXiv 2211.01095), section 5: the reverse SDE with the estimated noise taken for
/// constant (order 1) or on a line in log-SNR (2), in the middle of the step. One evaluation a step.
pub fn sde_dpm_solver<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |_| 0.5)
}

/// The same with the exact integral of the line, which diffusers calls the Heun type.
pub fn sde_dpm_solver_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |h| 1.0 / h - 1.0 / h.exp_m1())
}

/// In noise-to-signal coordinates a step from `s` to `s'` moves by `2 (s' - s) eps` and adds noise of the variance
/// `s^2 - s'^2`. The line is taken where `place` says, as a part of the step, which is `h` long in log-SNR.
///
/// From pure noise and to the clean end, where the method would leave as much noise as it found, the step is that to the
/// estimate with fresh noise.
fn sample<X: Latent + 'static>(run: Run<'_, X>, place: fn(f64) -> f64) -> Steps<'_, X> {
    let orders = run.orders(run.tuning.whole(&ORDER));
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let scale = tuning.get(&NOISE_SCALE);
    let mut last: Option<(X, f64)> = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        let h = to.lambda() - from.lambda();
        if h.is_finite() {
            let slope = match &last {
                Some((old, h_old)) if orders.at(i) > 1 => {
                    let c = place(h) * h / h_old;
                    eps.mix(1.0 + c, old, -c)
                }
                _ => eps.clone(),
            };
            let (s, to_s) = (from.nsr(), to.nsr());
            let fresh = scale * to.alpha * ((s - to_s) * (s + to_s)).sqrt();
            let moved = x.mix(to.alpha / from.alpha, &slope, 2.0 * to.alpha * (to_s - s));
            x = moved.mix(1.0, &noise.over(&x, from, to), fresh);
            last = Some((eps, h));
        } else {
            x = renoise(&x, &x0, (from, to), (0.0, scale * to.sigma), noise);
        }
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}
