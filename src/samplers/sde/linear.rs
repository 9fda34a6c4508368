//! What the SDE-DPM-Solvers++ with a memory have in common: a step slides towards a weighted mean of the newest estimates.

use super::{ETA, ETA_SCALE};
use crate::math::{Latent, Level};
use crate::samplers::coefficients::{Moments, nodes, weights};
use crate::samplers::history::{Form, History};
use crate::samplers::steps::{ratio, renoise};
use crate::samplers::{Run, Step, Steps};

/// A step of length `h` in log-SNR keeps `exp(-eta h)` of the noise at its end, the exact solution of the linear part.
/// `eta` 1 is the reverse SDE; at 0 the method is DPM-Solver++. The estimate is a polynomial in log-SNR through the last
/// `order` estimates; `moments` is given how many there are and the rate of its weight, `-(1 + eta) h`.
///
/// Unless orders are listed, every step has all the order that it remembers estimates for, as in k-diffusion, except to
/// the clean end, where a polynomial has no mean.
pub(super) fn exponential<X: Latent + 'static>(
    run: Run<'_, X>,
    order: usize,
    moments: fn(usize, f64) -> Moments,
) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, orders, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&ETA_SCALE));
    let mut history = History::new(Form::Data);
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        let order = orders.and_then(|listed| listed.steps.get(i)).map_or(order, |listed| order.min(*listed));
        let nodes = nodes(history.levels(order), (from, to), Level::lambda);
        let rate = -(1.0 + eta) * (to.lambda() - from.lambda());
        let target = history.mean(&weights(&nodes, &moments(nodes.len(), rate)));
        let kept = ratio(from, to).powf(eta);
        let fresh = scale * (1.0 - kept * kept).sqrt();
        x = renoise(&x, &target, (from, to), (to.sigma * kept, to.sigma * fresh), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
