use super::walker::{Pair, Trial, Trip, Walker};
use crate::denoise::Estimate;
use crate::math::{Latent, Level};
use crate::samplers::steps::slide;
use crate::samplers::{Adaptive, Run, Tuning};

/// The first attempt's length in log-SNR.
const FIRST: f64 = 0.05;

/// The least factor on the length with which an attempt is still accepted.
const SAFETY: f64 = 0.81;

/// DPM-Solver-12 and DPM-Solver-23, Lu et al. 2022 (arXiv 2206.00927), appendix C, with k-diffusion's control of the
/// step. [`Knob::Order`](crate::samplers::Knob::Order) is 2 or 3, and so many are the evaluations of an attempt.
///
/// k-diffusion's controller is a PID with only its I by default, written out here. The error is measured on
/// `x / alpha`.
pub fn dpm_adaptive<'a, X: Latent + 'static>(run: Run<'a, X>) -> Box<dyn Adaptive<X> + 'a> {
    Box::new(Walker::new(DpmAdaptive { tuning: run.tuning, low: None, before: None }, run, FIRST))
}

struct DpmAdaptive<X> {
    tuning: Tuning,
    /// The attempt's lower-order result over alpha, and that of the last accepted step.
    low: Option<X>,
    before: Option<X>,
}

impl<X> DpmAdaptive<X> {
    fn order(&self) -> usize {
        self.tuning.order.clamp(2, 3)
    }
}

impl<X: Latent> Pair<X> for DpmAdaptive<X> {
    fn place(&self, at: Level) -> f64 {
        at.lambda()
    }

    fn ratio(&self, place: f64) -> f64 {
        (-place).exp()
    }

    /// In the noise estimates `eps` (equations 4.1 to 4.3 and algorithms 4 and 5): a slide, and a correction by how far
    /// the estimate within the step lies from the one at its beginning.
    fn attempt(&mut self, trip: &Trip<'_, X>, x: &X, from: Level, to: Level) -> Trial<X> {
        let h = to.lambda() - from.lambda();
        let estimate = |x: &X, at: Level| Estimate::of_x0(x, trip.model.denoise(x, at), at);
        let Estimate { x0, eps, .. } = estimate(x, from);
        let inside = |r: f64| trip.schedule.level_at((-(from.lambda() + r * h)).exp());
        let euler = |at: Level| slide(x, &x0, from, at);
        // The noise in the middle of the way less the one at its beginning.
        let turn = |x: &X, at: Level| estimate(x, at).eps.mix(1.0, &eps, -1.0);
        let second = |turn: &X, r: f64| euler(to).mix(1.0, turn, -to.sigma * h.exp_m1() / (2.0 * r));
        let (low, high) = if self.order() == 2 {
            let middle = inside(0.5);
            (euler(to), second(&turn(&euler(middle), middle), 0.5))
        } else {
            let (r1, r2) = (1.0 / 3.0, 2.0 / 3.0);
            let (one, two) = (inside(r1), inside(r2));
            let turn_1 = turn(&euler(one), one);
            let bend = |h: f64| h.exp_m1() / h - 1.0;
            let at_two = euler(two).mix(1.0, &turn_1, -two.sigma * r2 / r1 * bend(r2 * h));
            (second(&turn_1, r1), euler(to).mix(1.0, &turn(&at_two, two), -to.sigma * bend(h) / r2))
        };
        let low_y = low.scale(1.0 / to.alpha);
        let before = self.before.get_or_insert_with(|| x.scale(1.0 / from.alpha));
        let allowed = low_y.larger(before).scale(self.tuning.tolerance);
        let error = low_y.mix(1.0, &high, -1.0 / to.alpha);
        let error = error.over(&allowed.clamp(self.tuning.absolute_tolerance, f64::INFINITY));
        self.low = Some(low_y);
        Trial { x: high, denoised: x0, error }
    }

    fn pace(&mut self, error: f64) -> (bool, f64) {
        let ideal = (error + 1e-8).powf(-1.0 / self.order() as f64);
        let factor = 1.0 + (ideal - 1.0).atan();
        let accepted = factor >= SAFETY;
        if accepted {
            self.before = self.low.take();
        }
        (accepted, factor)
    }
}
