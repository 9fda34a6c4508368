use crate::math::{Latent, Level};
use crate::samplers::steps::{ratio, slide};
use crate::samplers::{Run, Step, Steps};
use std::collections::VecDeque;

/// SA-Solver, Xue et al. 2023 (arXiv 2309.05019), algorithm 1: a stochastic Adams-Bashforth predictor and an
/// Adams-Moulton corrector of the same order, for the data prediction. One evaluation a step.
pub fn sa_solver<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, 0)
}

/// The same with a corrector of one order more than the predictor, which it can have for free.
pub fn sa_solver_plus<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, 1)
}

/// A step that both halves take, each with its own estimates: from where, over what, and with which noise.
struct Stretch<X> {
    start: X,
    from: Level,
    to: Level,
    /// `tau^2`: 1 is the reverse SDE, 0 the probability flow.
    tau_2: f64,
    fresh: Option<X>,
}

impl<X: Latent> Stretch<X> {
    /// Along the polynomial through `nodes`, pairs of an estimate and its place in log-SNR.
    fn walk<'n>(&self, nodes: impl Iterator<Item = (&'n X, f64)>) -> X
    where
        X: 'n,
    {
        let (from, to) = (self.from, self.to);
        let (estimates, places): (Vec<&X>, Vec<f64>) = nodes.map(|(x0, lambda)| (x0, lambda - from.lambda())).unzip();
        let weights = match &places[..] {
            [_] => vec![1.0],
            places => weights(places, 1.0 + self.tau_2, to.lambda() - from.lambda()),
        };
        let first = estimates[0].scale(weights[0]);
        let target = estimates.iter().zip(&weights).skip(1).fold(first, |sum, (x0, w)| sum.mix(1.0, x0, *w));
        let kept = to.sigma * ratio(from, to).powf(self.tau_2);
        let x = slide(&self.start, &target, from, Level { sigma: kept, ..to });
        self.fresh.as_ref().map_or(x.clone(), |fresh| x.mix(1.0, fresh, 1.0))
    }
}

/// `tau` is `eta` where the noise-to-signal ratio is within the window of the churn, and 0 elsewhere (section 6.1). The
/// corrector meets the noise of its predictor. A step from pure noise or to the clean end, infinitely long, is of order 1
/// and is not corrected.
fn sample<X: Latent + 'static>(run: Run<'_, X>, more: usize) -> Steps<'_, X> {
    let orders = run.orders();
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let window = tuning.churn_min..=tuning.churn_max;
    // The latest first, with their places in log-SNR.
    let mut known: VecDeque<(X, f64)> = VecDeque::new();
    let mut last: Option<(Stretch<X>, usize)> = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        known.push_front((denoised.clone(), from.lambda()));
        let usable = known.iter().take_while(|(_, lambda)| lambda.is_finite()).count();
        let newest = |n: usize| known.iter().take(n.clamp(1, usable.max(1))).map(|(x0, lambda)| (x0, *lambda));
        if let Some((stretch, order)) = last.take() {
            x = stretch.walk(newest(order));
        }
        let (h, order) = (to.lambda() - from.lambda(), orders.at(i));
        let tau_2 = if window.contains(&from.nsr()) { tuning.eta * tuning.eta } else { 0.0 };
        let kept = ratio(from, to).powf(tau_2);
        let std = to.sigma * tuning.noise_scale * (1.0 - kept * kept).sqrt();
        let fresh = (std > 0.0).then(|| noise.over(&x, from, to).scale(std));
        let stretch = Stretch { start: x.clone(), from, to, tau_2, fresh };
        x = stretch.walk(newest(if h.is_finite() { order } else { 1 }));
        // The corrector's own lowering comes a step after the predictor's.
        last = h.is_finite().then_some((stretch, (order + 1).min(tuning.order + more)));
        known.truncate(tuning.order + more);
        Step { x: x.clone(), denoised, from, to }
    }))
}

/// The parts that the estimates at `places` (in log-SNR, counted from where the step begins) have in the estimate that a
/// step of length `h` slides towards: integrals of Lagrange's polynomials against `k exp(k (u - h))`. Two estimates are
/// weighed with the first term of the slope's integral, `k h^2 / 2`, as in the authors' code, "to improve few steps".
fn weights(places: &[f64], k: f64, h: f64) -> Vec<f64> {
    let mut moments = vec![moment(0, k, h)];
    moments.extend((1..places.len()).map(|j| if places.len() == 2 { 0.5 * k * h * h } else { moment(j, k, h) }));
    let weight = |i: usize| {
        // The coefficients of the polynomial that is 1 at place i and 0 at the others, lowest first.
        let mut lagrange = vec![1.0];
        for (_, place) in places.iter().enumerate().filter(|(j, _)| *j != i) {
            let shifted = [0.0].iter().chain(&lagrange).copied();
            let scaled = lagrange.iter().map(|c| -place * c).chain([0.0]);
            lagrange = shifted.zip(scaled).map(|(a, b)| (a + b) / (places[i] - place)).collect();
        }
        lagrange.iter().zip(&moments).map(|(c, m)| c * m).sum::<f64>() / moments[0]
    };
    (0..places.len()).map(weight).collect()
}

/// `int k exp(k (u - h)) u^j du` for `u` from 0 to `h`: by parts, or by its series where that would cancel.
fn moment(j: usize, k: f64, h: f64) -> f64 {
    let span = k * h;
    if span > 1.0 {
        return (1..=j).fold(-(-span).exp_m1(), |m, i| h.powi(i as i32) - i as f64 / k * m);
    }
    let terms = (0..20).scan(1.0 / (j + 1) as f64, |term, n| {
        let now = *term;
        *term *= -span / (j + 2 + n) as f64;
        Some(now)
    });
    span * h.powi(j as i32) * terms.sum::<f64>()
}
