use super::{ETA, ETA_SCALE};
use crate::math::Latent;
use crate::samplers::steps::{ancestral, renoise};
use crate::samplers::{Knob, Run, Step, Steps};

/// `r` of the algorithm: where on the step, in log-SNR, the second estimate is made.
pub const R: Knob = Knob::number("r", 0.05, 1.0, 0.5);

/// SDE-DPM-Solver++(2S), k-diffusion's DPM++ SDE, after Lu et al. 2022 (arXiv 2211.01095), section 5 and algorithm 1.
/// Weak order 1, and order 2 without noise; two evaluations and two draws a step.
///
/// An ancestral step [`R`] of the way down in log-SNR for a second estimate, and an ancestral step all the way along both. The
/// draws belong to overlapping stretches, but are independent of each other unless the source is a Brownian path.
pub fn dpmpp_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&ETA_SCALE));
    let r = tuning.get(&R);
    let split = move |from, to| {
        let (kept, fresh) = ancestral(from, to, eta);
        (kept, fresh * scale)
    };
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let mut target = denoised.clone();
        if from.alpha > 0.0 && to.sigma > 0.0 {
            let between = schedule.level_at(from.nsr() * (to.nsr() / from.nsr()).powf(r));
            let there = renoise(&x, &denoised, (from, between), split(from, between), noise);
            let second = 1.0 / (2.0 * r);
            target = denoised.mix(1.0 - second, &model.denoise(&there, between), second);
        }
        x = renoise(&x, &target, (from, to), split(from, to), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
