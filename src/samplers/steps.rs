//! The pieces that steps are made of, shared by every family.

use super::{Knob, Tuning};
use crate::denoise::Estimate;
use crate::math::{Latent, Level, Noise, NoiseSchedule};
use std::ops::RangeInclusive;

/// How much fresh noise a step adds: 0 none, which is deterministic, 1 the noise of the posterior or of the reverse SDE.
pub(super) const ETA: Knob = Knob::number("eta", 0.0, 1.0, 1.0);

/// A factor on the standard deviation of all fresh noise (`S_noise` of Karras et al. 2022, arXiv 2206.00364).
pub(super) const NOISE_SCALE: Knob = Knob::number("noise-scale", 0.0, 2.0, 1.0);

/// `S_churn` of Karras et al. 2022 (arXiv 2206.00364), algorithm 2: the noise added before the steps, in total.
pub const CHURN: Knob = Knob::number("churn", 0.0, 1000.0, 0.0);

/// `S_tmin`: the noise-to-signal ratio below which there is no churn.
pub const CHURN_MIN: Knob = Knob::number("churn-min", 0.0, 1e6, 0.0).needs(&CHURN);

/// `S_tmax`: the noise-to-signal ratio above which there is no churn.
pub const CHURN_MAX: Knob = Knob::number("churn-max", 0.0, f64::INFINITY, f64::INFINITY).needs(&CHURN);

/// `S_noise`: a factor on the standard deviation of the noise that churn adds.
pub const CHURN_SCALE: Knob = NOISE_SCALE.needs(&CHURN);

/// Moves `x` from one level to another as if its noise and the estimate `x0` stayed what they are: the exact solution
/// of the probability-flow ODE while the model's estimate is constant, and the step of DDIM (Song et al. 2021,
/// arXiv 2010.02502, equation 12 with sigma_t = 0).
pub(super) fn slide<X: Latent>(x: &X, x0: &X, from: Level, to: Level) -> X {
    let keep = to.sigma / from.sigma;
    x.mix(keep, x0, to.alpha - keep * from.alpha)
}

/// The factor by which a step shrinks the noise-to-signal ratio, in [0, 1): `exp(-h)` for a step of `h` in lambda.
/// 0 from pure noise and to the clean end.
pub(super) fn ratio(from: Level, to: Level) -> f64 {
    to.nsr() / from.nsr()
}

/// The noise of `to`, split as `kept^2 + fresh^2 = to.sigma^2`: `fresh` is `eta` times the standard deviation of
/// `x_to` given `x_from` and `x_0` (Song et al. 2021, arXiv 2010.02502, equation 16; in noise-to-signal coordinates it
/// is the `sigma_up` of k-diffusion, and `kept` its `sigma_down`). Returns `(kept, fresh)`.
pub(super) fn ancestral(from: Level, to: Level, eta: f64) -> (f64, f64) {
    let r = ratio(from, to);
    // Not as 1 - fresh^2, which would lose the digits of a small `kept`.
    let kept = (1.0 - eta * eta + eta * eta * r * r).max(0.0).sqrt();
    (to.sigma * kept, to.sigma * eta * (1.0 - r * r).sqrt())
}

/// Slides `x` to level `to`, but with only `kept` of its old noise, and adds `fresh` new noise (standard deviations).
///
/// Nothing is drawn where `fresh` is 0. That is so in all steps of a run (no eta) or in the last (clean end), so no
/// later draw moves.
pub(super) fn renoise<X: Latent>(
    x: &X,
    x0: &X,
    (from, to): (Level, Level),
    (kept, fresh): (f64, f64),
    noise: &mut dyn Noise<X>,
) -> X {
    let x = slide(x, x0, from, Level { sigma: kept, ..to });
    if fresh > 0.0 { x.mix(1.0, &noise.over(&x, from, to), fresh) } else { x }
}

/// A point at level `to` made of an estimate: its picture, `kept` of its noise, and `fresh` new noise (standard
/// deviations). Unlike [`renoise`] it takes the model's own word for the noise, which need not be the one that the picture
/// implies.
///
/// Nothing is drawn where `fresh` is 0.
pub(super) fn compose<X: Latent>(
    Estimate { x0, eps, .. }: &Estimate<X>,
    (from, to): (Level, Level),
    (kept, fresh): (f64, f64),
    noise: &mut dyn Noise<X>,
) -> X {
    let x = x0.mix(to.alpha, eps, kept);
    if fresh > 0.0 { x.mix(1.0, &noise.over(&x, from, to), fresh) } else { x }
}

/// The noise that Karras et al. 2022 (arXiv 2206.00364, algorithm 2, lines 4 to 6) add before a step: it lifts the
/// noise-to-signal ratio by the factor `1 + gamma`, where `gamma` is `S_churn` over the number of steps, at most
/// `sqrt(2) - 1`, and 0 outside of `S_tmin..=S_tmax`.
#[derive(Clone)]
pub(super) struct Churn<'a> {
    schedule: &'a dyn NoiseSchedule,
    window: RangeInclusive<f64>,
    gamma: f64,
    /// `S_noise`.
    pub scale: f64,
}

impl<'a> Churn<'a> {
    /// The churn of a run of so many steps; levels off the grid come from `schedule`.
    pub(super) fn new(tuning: &Tuning, steps: usize, schedule: &'a dyn NoiseSchedule) -> Self {
        let gamma = (tuning.get(&CHURN) / steps as f64).min(std::f64::consts::SQRT_2 - 1.0);
        let window = tuning.get(&CHURN_MIN)..=tuning.get(&CHURN_MAX);
        Self { schedule, window, gamma, scale: tuning.get(&CHURN_SCALE) }
    }

    /// The part by which the ratio is lifted at level `from`.
    pub(super) fn gamma(&self, from: Level) -> f64 {
        if self.window.contains(&from.nsr()) { self.gamma } else { 0.0 }
    }

    /// `x` with the noise added, and the level that it then has. Pure noise stays what it is. Nothing is drawn where
    /// there is no churn.
    pub(super) fn lift<X: Latent>(&self, x: X, from: Level, noise: &mut dyn Noise<X>) -> (X, Level) {
        let (nsr, gamma) = (from.nsr(), self.gamma(from));
        if gamma == 0.0 || from.alpha == 0.0 {
            return (x, from);
        }
        let hat = self.schedule.level_at(nsr * (1.0 + gamma));
        // hat^2 - nsr^2, without the subtraction.
        let fresh = hat.alpha * nsr * (gamma * (2.0 + gamma)).sqrt();
        (x.mix(hat.alpha / from.alpha, &noise.normal(&x), fresh * self.scale), hat)
    }
}
