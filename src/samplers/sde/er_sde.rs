use super::NOISE_SCALE;
use crate::math::Latent;
use crate::samplers::steps::renoise;
use crate::samplers::{Knob, Run, Step, Steps};

/// How many estimates the polynomial goes through.
pub const ORDER: Knob = Knob::whole("order", 1, 3, 3);

/// Nodes and weights of the Gauss-Legendre rule of five points on 0..1.
const GAUSS: [(f64, f64); 5] = [
    (0.046_910_077_030_668, 0.118_463_442_528_095),
    (0.230_765_344_947_158, 0.239_314_335_249_683),
    (0.5, 0.284_444_444_444_444),
    (0.769_234_655_052_842, 0.239_314_335_249_683),
    (0.953_089_922_969_332, 0.118_463_442_528_095),
];

/// `ln(phi(s) / s)` of the noise scale function `phi(s) = s (exp(s^0.3) + 10)`, the paper's best (section 4.2, SDE 5).
fn log_phi(s: f64) -> f64 {
    let power = s.powf(0.3);
    power + (10.0 * (-power).exp()).ln_1p()
}

/// ER-SDE-Solver, Cui et al. 2023 (arXiv 2309.06169), algorithms 1 to 3 for the data prediction: solvers of an extended
/// family of reverse SDEs, which are told apart by a noise scale function `phi`. One evaluation a step.
///
/// In noise-to-signal ratio `s` a step to `s'` keeps `phi(s') / phi(s)` of the way to the estimate. Beyond order 1 the
/// estimate moves on the line or parabola through the last two or three, in `s`; its integrals against
/// `1 - phi(s') / phi(s)` have no closed form. Where the paper sums rectangles, Gauss's rule in `ln s` stands here.
pub fn er_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let orders = run.orders(run.tuning.whole(&ORDER));
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let scale = tuning.get(&NOISE_SCALE);
    // The last estimate and the slope there, each with the ratio that it begins at.
    let mut last: Option<(X, f64)> = None;
    let mut last_slope: Option<(X, f64)> = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        let (s, next) = (from.nsr(), to.nsr());
        let order = if s.is_finite() && next > 0.0 { orders.at(i) } else { 1 };
        let shrunk = log_phi(next) - log_phi(s);
        let fresh = scale * (-(2.0 * shrunk).exp_m1()).sqrt();
        x = renoise(&x, &denoised, (from, to), (to.sigma * shrunk.exp(), to.sigma * fresh), noise);
        let slope = last.as_ref().filter(|_| order > 1).map(|(old, s_old)| {
            let slope = denoised.mix(1.0 / (s - s_old), old, -1.0 / (s - s_old));
            x = x.mix(1.0, &slope, to.alpha * moved(s, next, |_| 1.0));
            if let Some((old_slope, s_older)) = last_slope.as_ref().filter(|_| order > 2) {
                let per_step = 2.0 / (s - s_older);
                let bend = slope.mix(per_step, old_slope, -per_step);
                x = x.mix(1.0, &bend, to.alpha * moved(s, next, |u| u - s));
            }
            (slope, *s_old)
        });
        (last_slope, last) = (slope, Some((denoised.clone(), s)));
        Step { x: x.clone(), denoised, from, to }
    }))
}

/// `-int f(u) (1 - phi(s') / phi(u)) du` for `u` from `s'` to `s`: what an estimate that moves like the integral of `f`
/// adds to a step.
fn moved(s: f64, next: f64, f: impl Fn(f64) -> f64) -> f64 {
    let span = (s / next).ln();
    let at = |part: f64| {
        let u = next * (part * span).exp();
        f(u) * (log_phi(next) - log_phi(u) - part * span).exp_m1() * u
    };
    GAUSS.iter().map(|(part, weight)| weight * span * at(*part)).sum()
}
