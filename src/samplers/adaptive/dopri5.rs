use super::driver::{self, Context, Driver, Pair, Trial, over_tolerance, sum};
use crate::math::dormand_prince::{A, C, Control, E};
use crate::math::{Latent, Level};
use crate::samplers::steps::slide;
use crate::samplers::{Adaptive, Knob, Run};

/// Relative error that a step may make.
pub const TOLERANCE: Knob = driver::TOLERANCE.at(1e-3);

/// Error that a step may make in any case, in units of the data.
pub const ABSOLUTE_TOLERANCE: Knob = driver::ABSOLUTE_TOLERANCE.at(1e-3);

/// The Runge-Kutta pair of Dormand & Prince 1980 (J. Comput. Appl. Math. 6), of orders 5 and 4, on the probability-flow
/// ODE. Six evaluations an attempt.
///
/// With `w = alpha / sigma` and `u = x / sigma` the ODE is `du/dw = x_0(x)`, which is exact for a constant estimate and
/// regular at pure noise (`w = 0`). A stage is then one step of constant estimate towards a weighted mean of the estimates before it.
pub fn dopri5<'a, X: Latent + 'static>(run: Run<'a, X>) -> Box<dyn Adaptive<X> + 'a> {
    let length = run.grid.pairs().next().map_or(0.0, |(from, to)| 1.0 / to.nsr() - 1.0 / from.nsr());
    let tolerance = [&TOLERANCE, &ABSOLUTE_TOLERANCE].map(|knob| run.tuning.get(knob));
    Box::new(Driver::new(Dopri5 { tolerance, first: None, last: None, control: Control::new() }, run, length))
}

struct Dopri5<X> {
    /// Relative and absolute.
    tolerance: [f64; 2],
    /// The estimates at the current point and at the attempt's end, once they are known.
    first: Option<X>,
    last: Option<X>,
    control: Control,
}

impl<X: Latent> Pair<X> for Dopri5<X> {
    fn place(&self, at: Level) -> f64 {
        1.0 / at.nsr()
    }

    fn ratio(&self, place: f64) -> f64 {
        1.0 / place
    }

    fn attempt(&mut self, context: &Context<'_, X>, x: &X, from: Level, to: Level) -> Trial<X> {
        let [w, end] = [from, to].map(|at| 1.0 / at.nsr());
        let h = end - w;
        let denoised = self.first.take().unwrap_or_else(|| context.model.denoise(x, from));
        let (mut k, mut next) = (vec![denoised.clone()], x.clone());
        for (c, a) in C.into_iter().zip(A) {
            let at = if c < 1.0 { context.schedule.level_at(1.0 / (w + c * h)) } else { to };
            next = slide(x, &sum(&k, a).scale(1.0 / c), from, at);
            k.push(context.model.denoise(&next, at));
        }
        // At unit variance, where every level has a scale.
        let [unit, before] = [to, from].map(|at| 1.0 / at.marginal_std());
        let error = sum(&k, &E).scale(to.sigma * h * unit);
        let error = over_tolerance(&error, &next.scale(unit), &x.scale(before), self.tolerance);
        (self.first, self.last) = (Some(denoised.clone()), k.pop());
        Trial { x: next, denoised, error, fresh: 0.0 }
    }

    fn pace(&mut self, error: f64) -> (bool, f64) {
        let (accepted, factor) = self.control.judge(error);
        if accepted {
            self.first = self.last.take();
        }
        (accepted, factor)
    }
}
