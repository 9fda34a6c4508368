use crate::math::{Latent, Level};
use crate::samplers::coefficients::{moments, nodes, phi, weights};
use crate::samplers::history::{Form, History};
use crate::samplers::steps::{ratio, slide};
use crate::samplers::{Knob, Run, Step, Steps, steps};

/// `tau`: 1 is the reverse SDE, 0 the probability flow.
pub const TAU: Knob = Knob::number("tau", 0.0, 1.0, 1.0).formerly("eta");

/// The noise-to-signal ratio below which `tau` is 0.
pub const TAU_MIN: Knob = Knob::number("tau-min", 0.0, f64::INFINITY, 0.0).formerly("churn-min").needs(&TAU);

/// The noise-to-signal ratio above which `tau` is 0.
pub const TAU_MAX: Knob = Knob::number("tau-max", 0.0, f64::INFINITY, f64::INFINITY).formerly("churn-max").needs(&TAU);

/// A factor on the standard deviation of the fresh noise.
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE.needs(&TAU);

/// Order of the predictor and of the corrector.
pub const ORDER: Knob = Knob::whole("order", 1, 3, 2);

/// SA-Solver, Xue et al. 2023 (arXiv 2309.05019), algorithm 1: a stochastic Adams-Bashforth predictor and an
/// Adams-Moulton corrector of the same order, for the data prediction. One evaluation a step.
pub fn sa_solver<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let order = run.tuning.whole(&ORDER);
    sample(run, order, order)
}

/// The same with a predictor of order 3 and a corrector of order 4, which costs no more.
pub fn sa_solver_plus<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, 3, 4)
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
    /// Along the polynomial in log-SNR through the newest `order` estimates. The line through two is weighed as in the
    /// authors' code: with `phi_1(0)` for `phi_1` in the mean of its slope.
    fn step(&self, history: &History<X>, order: usize) -> X {
        let (from, to) = (self.from, self.to);
        let nodes = nodes(history.levels(order), (from, to), Level::lambda);
        let rate = -(1.0 + self.tau_2) * (to.lambda() - from.lambda());
        let moments = if nodes.len() == 2 { [1.0, 0.5 / phi(1, rate), 0.0, 0.0, 0.0] } else { moments(rate) };
        let kept = to.sigma * ratio(from, to).powf(self.tau_2);
        let target = history.mean(&weights(&nodes, &moments));
        let x = slide(&self.start, &target, from, Level { sigma: kept, ..to });
        self.fresh.as_ref().map_or(x.clone(), |fresh| x.mix(1.0, fresh, 1.0))
    }
}

/// `tau` is 0 outside of its window of noise-to-signal ratios. The corrector meets the noise of its predictor; a step from pure noise or to the clean end, infinitely long, is not corrected.
fn sample<X: Latent + 'static>(run: Run<'_, X>, order: usize, most: usize) -> Steps<'_, X> {
    let orders = run.orders(order);
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let (tau, scale) = (tuning.get(&TAU), tuning.get(&NOISE_SCALE));
    let window = tuning.get(&TAU_MIN)..=tuning.get(&TAU_MAX);
    let mut history = History::new(Form::Data);
    let mut last: Option<(Stretch<X>, usize)> = None;
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        if let Some((stretch, estimates)) = last.take() {
            // corrector
            x = stretch.step(&history, estimates);
        }
        let tau_2 = if window.contains(&from.nsr()) { tau * tau } else { 0.0 };
        let kept = ratio(from, to).powf(tau_2);
        let std = to.sigma * scale * (1.0 - kept * kept).sqrt();
        let fresh = (std > 0.0).then(|| noise.over(&x, from, to).scale(std));
        let stretch = Stretch { start: x.clone(), from, to, tau_2, fresh };
        // predictor
        x = stretch.step(&history, orders.at(i));
        if from.alpha > 0.0 {
            // The corrector's own lowering comes a step after the predictor's.
            let own = (orders.at(i) + 1).min(most);
            last = Some((stretch, orders.correction(i, own)));
        }
        Step { x: x.clone(), denoised, from, to }
    }))
}
