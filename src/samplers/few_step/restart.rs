use super::walk_again;
use crate::denoise::Denoiser;
use crate::math::{Latent, Level};
use crate::samplers::steps::{ratio, slide};
use crate::samplers::{Run, Step, Steps, Tuning};
use std::ops::Range;

/// Restart sampling, Xu et al. 2023 (arXiv 2306.14878), algorithm 2 with one interval: Heun's method, and once the
/// walk has come down to `t_min` it goes back up to `t_max`, with fresh noise, and down again, `K` times
/// ([`Knob::Inner`](crate::samplers::Knob::Inner)). Weak order 2.
///
/// The fresh noise washes out errors made further up. The interval is walked on the grid's own levels that lie in it.
pub fn restart<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let pairs: Vec<_> = grid.pairs().collect();
    let interval = interval(&pairs, &tuning);
    Box::new((0..pairs.len()).map(move |i| {
        let mut denoised;
        (x, denoised) = heun(&x, pairs[i], model);
        if !interval.is_empty() && i + 1 == interval.end {
            for _ in 0..tuning.inner {
                (x, denoised) = walk_again(&x, &pairs[interval.clone()], noise, |x, pair, _| heun(x, pair, model));
            }
        }
        Step { x: x.clone(), denoised, from: pairs[i].0, to: pairs[i].1 }
    }))
}

/// The steps from the first level at or below `t_max` to the last noisy one at or above `t_min`.
fn interval(pairs: &[(Level, Level)], tuning: &Tuning) -> Range<usize> {
    let top = pairs.iter().filter(|(from, _)| from.nsr() > tuning.restart_max).count();
    let bottom = pairs.iter().filter(|(_, to)| to.sigma > 0.0 && to.nsr() >= tuning.restart_min).count();
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
