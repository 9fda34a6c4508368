use super::walker::{self, Pair, Trial, Trip, Walker, over_tolerance};
use crate::denoise::Estimate;
use crate::math::{Latent, Level};
use crate::samplers::steps::{self, ancestral, slide};
use crate::samplers::{Adaptive, Knob, Run};

/// 2 or 3: order of the higher formula, and evaluations of an attempt.
pub const ORDER: Knob = Knob::whole("order", 2, 3, 3);

/// Relative error that a step may make.
pub const TOLERANCE: Knob = walker::TOLERANCE;

/// Error that a step may make in any case, in units of the data.
pub const ABSOLUTE_TOLERANCE: Knob = walker::ABSOLUTE_TOLERANCE;

/// The part of the posterior's standard deviation that is fresh noise.
pub const ETA: Knob = steps::ETA.at(0.0);

/// A factor on the standard deviation of the fresh noise.
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE.needs(&ETA);

/// The first attempt's length in log-SNR.
const FIRST: f64 = 0.05;

/// The least factor on the length with which an attempt is still accepted.
const SAFETY: f64 = 0.81;

/// DPM-Solver-12 and DPM-Solver-23, Lu et al. 2022 (arXiv 2206.00927), appendix C, with k-diffusion's control of the
/// step. [`ORDER`] is 2 or 3, and so many are the evaluations of an attempt.
///
/// k-diffusion's controller is a PID with only its I by default. The error is measured on `x / alpha`.
pub fn dpm_adaptive<'a, X: Latent + 'static>(run: Run<'a, X>) -> Box<dyn Adaptive<X> + 'a> {
    let tuning = &run.tuning;
    let pair = DpmAdaptive {
        order: tuning.whole(&ORDER),
        tolerance: [&TOLERANCE, &ABSOLUTE_TOLERANCE].map(|knob| tuning.get(knob)),
        eta: tuning.get(&ETA),
        noise_scale: tuning.get(&NOISE_SCALE),
        low: None,
        before: None,
    };
    Box::new(Walker::new(pair, run, FIRST))
}

struct DpmAdaptive<X> {
    order: usize,
    /// Relative and absolute.
    tolerance: [f64; 2],
    eta: f64,
    noise_scale: f64,
    /// The lower-order results of the attempt and of the last accepted step, over alpha.
    low: Option<X>,
    before: Option<X>,
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
        // With eta the solver goes further down, and fresh noise leads back up.
        let (kept, _) = ancestral(from, to, self.eta);
        let down = Level { sigma: kept.max(to.alpha * trip.stop.nsr()), ..to };
        let fresh = self.noise_scale * (to.sigma.powi(2) - down.sigma.powi(2)).max(0.0).sqrt();
        let h = down.lambda() - from.lambda();
        let estimate = |x: &X, at: Level| Estimate::of_x0(x, trip.model.denoise(x, at), at);
        let Estimate { x0, eps, .. } = estimate(x, from);
        let inside = |r: f64| trip.schedule.level_at((-(from.lambda() + r * h)).exp());
        let euler = |at: Level| slide(x, &x0, from, at);
        // The noise in the middle of the way less the one at its beginning.
        let turn = |x: &X, at: Level| estimate(x, at).eps.mix(1.0, &eps, -1.0);
        let second = |turn: &X, r: f64| euler(down).mix(1.0, turn, -down.sigma * h.exp_m1() / (2.0 * r));
        let (low, high) = if self.order == 2 {
            let middle = inside(0.5);
            (euler(down), second(&turn(&euler(middle), middle), 0.5))
        } else {
            let (r1, r2) = (1.0 / 3.0, 2.0 / 3.0);
            let (one, two) = (inside(r1), inside(r2));
            let turn_1 = turn(&euler(one), one);
            let bend = |h: f64| h.exp_m1() / h - 1.0;
            let turn_2 = turn(&euler(two).mix(1.0, &turn_1, -two.sigma * r2 / r1 * bend(r2 * h)), two);
            (second(&turn_1, r1), euler(down).mix(1.0, &turn_2, -down.sigma * bend(h) / r2))
        };
        let low_y = low.scale(1.0 / to.alpha);
        let before = self.before.get_or_insert_with(|| x.scale(1.0 / from.alpha));
        let error = over_tolerance(&low_y.mix(1.0, &high, -1.0 / to.alpha), &low_y, before, self.tolerance);
        self.low = Some(low_y);
        Trial { x: high, denoised: x0, error, fresh }
    }

    fn pace(&mut self, error: f64) -> (bool, f64) {
        let order = if self.eta > 0.0 { 1.5 } else { self.order as f64 };
        let factor = 1.0 + ((error + 1e-8).powf(-1.0 / order) - 1.0).atan();
        if factor >= SAFETY {
            self.before = self.low.take();
        }
        (factor >= SAFETY, factor)
    }
}
