use super::{ETA, ETA_SCALE};
use crate::math::Latent;
use crate::samplers::steps::{ancestral, renoise};
use crate::samplers::{Run, Step, Steps};

/// SDE-DPM-Solver++(2S), k-diffusion's DPM++ SDE, after Lu et al. 2022 (arXiv 2211.01095), section 5 and algorithm 1 with
/// `r = 1/2`. Weak order 1, and order 2 without noise; two evaluations and two draws a step.
///
/// An ancestral step half way down in log-SNR for a second estimate, and an ancestral step all the way towards that. The
/// draws belong to overlapping stretches, but are independent of each other unless the source is a Brownian path.
pub fn dpmpp_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&ETA_SCALE));
    let split = move |from, to| {
        let (kept, fresh) = ancestral(from, to, eta);
        (kept, fresh * scale)
    };
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let mut target = denoised.clone();
        if from.alpha > 0.0 && to.sigma > 0.0 {
            let halfway = schedule.level_at((from.nsr() * to.nsr()).sqrt());
            let there = renoise(&x, &denoised, (from, halfway), split(from, halfway), noise);
            target = model.denoise(&there, halfway);
        }
        x = renoise(&x, &target, (from, to), split(from, to), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
