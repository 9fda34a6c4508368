use super::{ETA, ETA_SCALE};
use crate::math::{Latent, Level};
use crate::samplers::steps::{ratio, slide};
use crate::samplers::{Run, Step, Steps};

/// SEEDS-2, Gonzalez et al. 2023 (arXiv 2305.14267), section 4, for the data prediction: a second estimate half way down
/// in log-SNR. Weak order 2, two evaluations and two draws a step.
pub fn seeds_2<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, &[1.0 / 2.0, 1.0], |_, _, _| 1.0)
}

/// SEEDS-3, Gonzalez et al. 2023 (arXiv 2305.14267), section 4, for the data prediction: estimates at one and two thirds
/// of the way. Weak order 2, and order 3 without noise; three evaluations and three draws a step.
pub fn seeds_3<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, &[1.0 / 3.0, 2.0 / 3.0, 1.0], |at, to, h| to / at * (-1.0 / (-to * h).exp_m1() - 1.0 / (to * h)))
}

/// Each stage starts over from `x` and goes down to the next of `stops`, parts of the step in log-SNR. It slides towards
/// the first estimate, moved by `weight` towards the latest one; `weight` is told where that was made, how far the stage
/// goes, and `(1 + eta) h`. All stages meet the same noise: that of the way to the stop before, faded, and that of the
/// way from there. A step from pure noise or to the clean end, infinitely long, has no stops on its way.
fn sample<'a, X: Latent + 'static>(
    run: Run<'a, X>,
    stops: &'static [f64],
    weight: fn(f64, f64, f64) -> f64,
) -> Steps<'a, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&ETA_SCALE));
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let h = to.lambda() - from.lambda();
        let stops = if h.is_finite() { stops } else { &[1.0] };
        let level = |part: f64| match part {
            1.0 => to,
            part => schedule.level_at(from.nsr() * (-part * h).exp()),
        };
        let mut target = denoised.clone();
        let (mut at, mut met): (Level, Option<X>) = (from, None);
        let mut next = x.clone();
        for (k, part) in stops.iter().enumerate() {
            let stop = level(*part);
            let fades = ratio(at, stop).powf(eta);
            let fresh = (1.0 - fades * fades).sqrt();
            if fresh > 0.0 && stop.sigma > 0.0 {
                let drawn = noise.over(&x, at, stop);
                met = Some(met.map_or(drawn.scale(fresh), |old: X| old.mix(fades, &drawn, fresh)));
            }
            let kept = stop.sigma * ratio(from, stop).powf(eta);
            next = slide(&x, &target, from, Level { sigma: kept, ..stop });
            if let Some(met) = met.as_ref().filter(|_| stop.sigma > 0.0) {
                next = next.mix(1.0, met, stop.sigma * scale);
            }
            if let Some(further) = stops.get(k + 1) {
                let w = weight(*part, *further, (1.0 + eta) * h);
                target = denoised.mix(1.0 - w, &model.denoise(&next, stop), w);
            }
            at = stop;
        }
        x = next;
        Step { x: x.clone(), denoised, from, to }
    }))
}
