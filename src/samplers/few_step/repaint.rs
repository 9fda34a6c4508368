use super::walk_again;
use crate::math::{Latent, Level, Noise};
use crate::samplers::steps::{ancestral, renoise};
use crate::samplers::{Knob, Run, Step, Steps};

/// `r`: how often each step is taken.
pub const RESAMPLES: Knob = Knob::whole("resamples", 1, 100, 4).formerly("inner");

/// `j`: how many steps of the grid a jump goes back up.
pub const JUMP: Knob = Knob::whole("jump", 1, 100, 5);

/// RePaint's walk, Lugmayr et al. 2022 (arXiv 2201.09865), algorithm 1 with the jumps of appendix B: DDPM steps, and
/// after each `j` of them ([`JUMP`]) back up with fresh noise and down again, so that
/// each is walked `r` times ([`RESAMPLES`]). Weak order 1, `r` evaluations a step.
///
/// This is what harmonises a painted part with its surroundings; that the surroundings are known is the model's
/// business, which pins them in its estimate. The last `j` steps are walked once.
pub fn repaint<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let (jump, resamples) = (tuning.whole(&JUMP), tuning.whole(&RESAMPLES));
    let pairs: Vec<_> = grid.pairs().collect();
    let step = |x: &X, (from, to): (Level, Level), noise: &mut dyn Noise<X>| {
        let denoised = model.denoise(x, from);
        (renoise(x, &denoised, (from, to), ancestral(from, to, 1.0), noise), denoised)
    };
    Box::new((0..pairs.len()).map(move |i| {
        let mut denoised;
        (x, denoised) = step(&x, pairs[i], noise);
        let (done, left) = (i + 1, pairs.len() - i - 1);
        if left > 0 && left % jump == 0 && done >= jump {
            for _ in 1..resamples {
                (x, denoised) = walk_again(&x, &pairs[done - jump..done], noise, step);
            }
        }
        Step { x: x.clone(), denoised, from: pairs[i].0, to: pairs[i].1 }
    }))
}
