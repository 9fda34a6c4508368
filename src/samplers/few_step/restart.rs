use super::walk_again;
use crate::denoise::Denoiser;
use crate::math::{Latent, Level};
use crate::samplers::steps::{ratio, slide};
use crate::samplers::{Knob, Run, Step, Steps, Tuning};
use std::ops::Range;

/// `K`: how often the interval is gone through again.
pub const RESTARTS: Knob = Knob::whole("restarts", 1, 100, 2).formerly("inner");

/// `t_min`: the noise-to-signal ratio that a restart goes up from.
pub const RESTART_MIN: Knob = Knob::number("restart-min", 0.0, 1e6, 0.1);

/// `t_max`: the noise-to-signal ratio that a restart goes up to.
pub const RESTART_MAX: Knob = Knob::number("restart-max", 0.0, 1e6, 2.0);

/// Restart sampling, Xu et al. 2023 (arXiv 2306.14878), algorithm 2 with one interval: Heun's method, and once the
/// walk has come down to `t_min` it goes back up to `t_max`, with fresh noise, and down again, `K` times
/// ([`RESTARTS`]). Weak order 2.
///
/// The fresh noise washes out errors made further up. The interval is walked on the grid's own levels that lie in it.
pub fn restart<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let pairs: Vec<_> = grid.pairs().collect();
    let (interval, restarts) = (interval(&pairs, &tuning), tuning.whole(&RESTARTS));
    Box::new((0..pairs.len()).map(move |i| {
        let mut denoised;
        (x, denoised) = heun(&x, pairs[i], model);
        if !interval.is_empty() && i + 1 == interval.end {
            for _ in 0..restarts {
                (x, denoised) = walk_again(&x, &pairs[interval.clone()], noise, |x, pair, _| heun(x, pair, model));
            }
        }
        Step { x: x.clone(), denoised, from: pairs[i].0, to: pairs[i].1 }
    }))
}

/// The steps from the first level at or below `t_max` to the last noisy one at or above `t_min`.
fn interval(pairs: &[(Level, Level)], tuning: &Tuning) -> Range<usize> {
    let (least, most) = (tuning.get(&RESTART_MIN), tuning.get(&RESTART_MAX));
    let top = pairs.iter().filter(|(from, _)| from.nsr() > most).count();
    let bottom = pairs.iter().filter(|(_, to)| to.sigma > 0.0 && to.nsr() >= least).count();
    top..bottom
}

/// A step of Heun's method, and its first estimate. From pure noise and to the clean end it is Euler's.
fn heun<X: Latent>(x: &X, (from, to): (Level, Level), model: &dyn Denoiser<X>) -> (X, X) {
    let denoised = model.denoise(x, from);
    let next = slide(x, &denoised, from, to);
    let c = 1.0 / (2.0 * ratio(from, to));
    if c.is_infinite() {
        return (next, denoised);
    }
    let ahead = model.denoise(&next, to);
    (slide(x, &denoised.mix(1.0 - c, &ahead, c), from, to), denoised)
}
