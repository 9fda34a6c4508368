use super::walker::{Pair, Trial, Trip, Walker};
use crate::math::dormand_prince::{A, C, E};
use crate::math::{Latent, Level};
use crate::samplers::steps::slide;
use crate::samplers::{Adaptive, Run, Tuning};

/// The Runge-Kutta pair of Dormand & Prince 1980 (J. Comput. Appl. Math. 6), of orders 5 and 4, on the probability-flow
/// ODE. Six evaluations an attempt.
///
/// With `w = alpha / sigma` and `u = x / sigma` the ODE is `du/dw = x_0(x)`, which is exact for a constant estimate and
/// regular at pure noise (`w = 0`). A stage is then one [`slide`] towards a weighted mean of the estimates before it.
pub fn dopri5<'a, X: Latent + 'static>(run: Run<'a, X>) -> Box<dyn Adaptive<X> + 'a> {
    let mut levels = run.grid.levels().into_iter().map(snr);
    let length = levels.next().zip(levels.next()).map_or(0.0, |(first, second)| second - first);
    Box::new(Walker::new(Dopri5 { tuning: run.tuning, first: None, last: None, error: 1.0 }, run, length))
}

fn snr(at: Level) -> f64 {
    at.alpha / at.sigma
}

struct Dopri5<X> {
    tuning: Tuning,
    /// The estimate at the current point, once it is known.
    first: Option<X>,
    /// The estimate at the end of the attempt.
    last: Option<X>,
    /// The last accepted error.
    error: f64,
}

/// `sum_i weights[i] * estimates[i]`.
fn sum<X: Latent>(estimates: &[X], weights: &[f64]) -> X {
    let head = estimates[0].scale(weights[0]);
    estimates.iter().zip(weights).skip(1).fold(head, |sum, (estimate, weight)| sum.mix(1.0, estimate, *weight))
}

impl<X: Latent> Pair<X> for Dopri5<X> {
    fn place(&self, at: Level) -> f64 {
        snr(at)
    }

    fn ratio(&self, place: f64) -> f64 {
        1.0 / place
    }

    fn attempt(&mut self, trip: &Trip<'_, X>, x: &X, from: Level, to: Level) -> Trial<X> {
        let h = snr(to) - snr(from);
        let denoised = self.first.take().unwrap_or_else(|| trip.model.denoise(x, from));
        let (mut k, mut next) = (vec![denoised.clone()], x.clone());
        for (c, a) in C.iter().zip(A) {
            let at = if *c < 1.0 { trip.schedule.level_at(1.0 / (snr(from) + c * h)) } else { to };
            next = slide(x, &sum(&k, a).scale(1.0 / c), from, at);
            k.push(trip.model.denoise(&next, at));
        }
        self.first = Some(denoised.clone());
        self.last = k.pop();
        let last = self.last.as_ref().unwrap_or(&denoised);
        // At unit variance, where every level has a scale.
        let (unit, before) = (1.0 / to.marginal_std(), 1.0 / from.marginal_std());
        let allowed = next.scale(unit).larger(&x.scale(before)).scale(self.tuning.tolerance);
        let error = sum(&k, &E).mix(1.0, last, E[6]).scale(to.sigma * h * unit);
        let error = error.over(&allowed.clamp(self.tuning.absolute_tolerance, f64::INFINITY));
        Trial { x: next, denoised, error }
    }

    /// The PI controller of Hairer & Wanner 1996, "Solving ODEs II", section IV.2.
    fn pace(&mut self, error: f64) -> (bool, f64) {
        let accepted = error <= 1.0;
        let factor = 0.9 * error.max(1e-10).powf(-0.7 / 5.0) * self.error.powf(0.4 / 5.0);
        if accepted {
            self.first = self.last.take();
            self.error = error.max(1e-4);
        }
        (accepted, factor.clamp(0.2, if accepted { 5.0 } else { 1.0 }))
    }
}
