//! What the methods of this family have in common: a step holds a weighted mean of the newest estimates.

use crate::math::{Latent, Level};
use crate::samplers::coefficients::{Moments, nodes, weights};
use crate::samplers::history::{Form, History};
use crate::samplers::{Run, Step, Steps};

/// A linear multistep method of order `order` or less. `weigh` is given the levels of as many evaluations as the step's order, newest first, and
/// where the step ends; it says the weight of each estimate. The weights sum to 1.
pub(super) fn linear<X: Latent + 'static>(
    run: Run<'_, X>,
    form: Form,
    order: usize,
    weigh: impl Fn(&[Level], Level) -> Vec<f64> + 'static,
) -> Steps<'_, X> {
    let orders = run.orders(order);
    let Run { start: mut x, grid, model, .. } = run;
    let mut history = History::new(form);
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        let weights = weigh(history.levels(orders.at(i)), to);
        x = history.step(&x, &denoised, &weights, (from, to));
        Step { x: x.clone(), denoised, from, to }
    }))
}

/// A linear multistep method that takes the estimate for a polynomial in log-SNR. `moments` is given the number of
/// estimates that the step is built on and the rate of its weight.
pub(super) fn exponential<X: Latent + 'static>(
    run: Run<'_, X>,
    form: Form,
    order: usize,
    moments: fn(usize, f64) -> Moments,
) -> Steps<'_, X> {
    linear(run, form, order, move |levels, to| {
        let step = (levels[0], to);
        let nodes = nodes(levels, step, Level::lambda);
        weights(&nodes, &moments(nodes.len(), form.rate(step)))
    })
}
