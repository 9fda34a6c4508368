use crate::math::Latent;
use crate::samplers::steps::slide;
use crate::samplers::{Knob, Run, Step, Steps};

/// `T` of the algorithm: the steps at each level.
pub const LANGEVIN_STEPS: Knob = Knob::whole("langevin-steps", 1, 100, 5).formerly("inner");

/// Size of a step over the squared noise-to-signal ratio of its level: 2 goes all the way to the estimate.
pub const STEP_SIZE: Knob = Knob::number("step-size", 0.001, 2.0, 1.0);

/// Temperature: 1 samples the model's distribution, 0 climbs to its modes.
pub const TEMPERATURE: Knob = Knob::number("temperature", 0.0, 10.0, 1.0);

/// Annealed Langevin dynamics, Song & Ermon 2019 (arXiv 1907.05600), algorithm 1, ended by the denoised estimate
/// (Jolicoeur-Martineau et al. 2020, arXiv 2009.05475). Weak order 1.
///
/// [`LANGEVIN_STEPS`] is the algorithm's `T`, the steps at each level. The paper's 100 serve
/// ten levels; a grid has tens, each close to the next, so that few are enough. In noise-to-signal coordinates
/// `y = x / alpha` the score is `(x_0 - y) / s^2`, and a step of size `d s^2` moves `y` by `d / 2` of the way to `x_0` and
/// adds noise of variance `d s^2`, where `d`, [`STEP_SIZE`], is `alpha_i / sigma_i^2`
/// of the algorithm. The paper's 0.2 leaves a narrower bias than 1, but in few steps it falls behind the levels.
///
/// The noise may be scaled by the root of a temperature `T` ([`TEMPERATURE`]):
/// at each level the chain then samples `p^(1/T)` of its marginal `p`. That is `p` at 1, its modes towards 0 (Kirkpatrick et
/// al. 1983, "Optimization by Simulated Annealing"), and flatter than `p` above 1. It is not the noisy marginal of
/// `p_data^(1/T)`, and equals it only in the limit of no noise.
///
/// The chain is not adjusted. What it settles on, and what the order is towards, is wider: a variance of
/// `T V / (1 - d s^2 / 4V)` where the marginal of `y` is normal with `V`. The excess vanishes with the noise. A new level
/// takes `y` over as it is; as pure noise has none, the step from there slides.
pub fn langevin<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let (size, steps) = (tuning.get(&STEP_SIZE), tuning.whole(&LANGEVIN_STEPS));
    let (pull, push) = (size / 2.0, (size * tuning.get(&TEMPERATURE)).sqrt());
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = if from.alpha == 0.0 || to.sigma == 0.0 {
            let denoised = model.denoise(&x, from);
            x = slide(&x, &denoised, from, to);
            denoised
        } else {
            x = x.scale(to.alpha / from.alpha);
            let mut inner = || {
                let denoised = model.denoise(&x, to);
                x = x.mix(1.0 - pull, &denoised, to.alpha * pull);
                x = x.mix(1.0, &noise.normal(&x), to.sigma * push);
                denoised
            };
            (1..steps).for_each(|_| drop(inner()));
            inner()
        };
        Step { x: x.clone(), denoised, from, to }
    }))
}
