use crate::math::Latent;
use crate::samplers::steps::{ratio, renoise};
use crate::samplers::{Run, Step, Steps};

/// SDE-DPM-Solver++(3M), k-diffusion's third-order form of Lu et al. 2022 (arXiv 2211.01095), section 5. Order 3 without
/// noise; one evaluation a step.
pub fn dpmpp_3m_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |span| 1.0 / -(-span).exp_m1() - 1.0 / span, 0.5)
}

/// The same as diffusers writes it: steps of order 2 by the midpoint rule, and in those of order 3 one sign of the
/// curvature's coefficient turned, so that noise of earlier steps enters again and the spread stays wrong by a tenth and
/// more in however many steps. It is here so that pictures made with it can be made again.
pub fn diffusers<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |_| 0.5, -0.5)
}

/// A step towards the exact integral of the parabola through the last three estimates, by divided differences in
/// log-SNR. With two of them `place` says where their line is taken, as a part of the step, given `(1 + eta) h`; `half`
/// is the 1/2 in `phi_3 = phi_2 / h - 1/2`, which weighs the curvature. Every step has all the order that it remembers
/// estimates for, as in k-diffusion, except to the clean end.
fn sample<X: Latent + 'static>(run: Run<'_, X>, place: fn(f64) -> f64, half: f64) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, orders, .. } = run;
    let (mut last, mut before): (Option<(X, f64)>, Option<(X, f64)>) = (None, None);
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        let h = to.lambda() - from.lambda();
        let order = if h.is_finite() { orders.and_then(|o| o.get(i)).map_or(3, |o| *o) } else { 1 };
        let span = (1.0 + tuning.eta) * h;
        let mut target = denoised.clone();
        if let Some((old, h_old)) = last.as_ref().filter(|_| order > 1) {
            let slope = denoised.mix(h / h_old, old, -h / h_old);
            if let Some((older, h_older)) = before.as_ref().filter(|_| order > 2) {
                let moved = -(-span).exp_m1();
                let (phi_2, both) = (1.0 - moved / span, h_old + h_older);
                let turn = slope.mix(1.0, &old.mix(h / h_older, older, -h / h_older), -1.0);
                let weight = phi_2 * h_old / both - (phi_2 / span - half) * h / both;
                target = target.mix(1.0, &slope, phi_2 / moved).mix(1.0, &turn, weight / moved);
            } else {
                target = target.mix(1.0, &slope, place(span));
            }
        }
        let kept = ratio(from, to).powf(tuning.eta);
        let fresh = tuning.noise_scale * (1.0 - kept * kept).sqrt();
        x = renoise(&x, &target, (from, to), (to.sigma * kept, to.sigma * fresh), noise);
        before = last.replace((denoised.clone(), h));
        Step { x: x.clone(), denoised, from, to }
    }))
}
