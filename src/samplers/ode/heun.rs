use crate::math::{Latent, Level, NoiseSchedule};
use crate::samplers::steps::{Churn, slide};
use crate::samplers::{Run, Step, Steps};

/// Heun's method on the probability-flow ODE, Karras et al. 2022 (arXiv 2206.00364), algorithm 2. Order 2, two
/// evaluations a step.
pub fn heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |_, from, to| (to, 0.5 * from.nsr() / to.nsr()))
}

/// The midpoint method, Karras et al. 2022 (arXiv 2206.00364), algorithm 3 with `alpha` 1/2. Order 2, two evaluations a
/// step.
pub fn midpoint<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |schedule, from, to| part_way(schedule, from, to, 1.0 / 2.0))
}

/// Ralston's method, Karras et al. 2022 (arXiv 2206.00364), algorithm 3 with `alpha` 2/3: of all methods with two
/// evaluations the one with the least bound on its error. Order 2.
pub fn ralston<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |schedule, from, to| part_way(schedule, from, to, 2.0 / 3.0))
}

/// DPM-Solver-2 as k-diffusion writes it, after Lu et al. 2022 (arXiv 2206.00927), algorithm 1: the slope in the middle
/// of the step in log-SNR takes the whole step. Order 2, two evaluations a step.
pub fn dpm2<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |schedule, from, to| {
        let middle = schedule.level_at((from.nsr() * to.nsr()).sqrt());
        (middle, from.nsr() / middle.nsr())
    })
}

/// The second look of algorithm 3: `alpha` of the way down in noise-to-signal ratio, with weight `1 / 2 alpha`.
fn part_way(schedule: &dyn NoiseSchedule, from: Level, to: Level, alpha: f64) -> (Level, f64) {
    let look = schedule.level_at((1.0 - alpha) * from.nsr() + alpha * to.nsr());
    (look, from.nsr() / look.nsr() / (2.0 * alpha))
}

/// Two-stage methods: an Euler step down to a level `s'` for a second look at the slope, and a step with the first slope
/// and the second one, of weight `w`.
///
/// In noise-to-signal coordinates `y = x / alpha` the slope is `(y - x_0) / s`. Both slopes lead where one slide leads
/// towards `x_0 + c (x_0' - x_0)` with `c = w s / s'`, and `look` returns `s'` and this `c`. At the clean end the slope
/// is undefined, and from pure noise the step is infinitely long, so there the step is Euler's.
fn sample<X: Latent + 'static>(
    run: Run<'_, X>,
    look: fn(&dyn NoiseSchedule, Level, Level) -> (Level, f64),
) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let churn = Churn::new(&tuning, grid.steps(), schedule);
    Box::new(grid.pairs().map(move |(from, to)| {
        let (lifted, hat) = churn.lift(x.clone(), from, noise);
        let denoised = model.denoise(&lifted, hat);
        let mut target = denoised.clone();
        if hat.alpha > 0.0 && to.sigma > 0.0 {
            let (between, c) = look(schedule, hat, to);
            let ahead = model.denoise(&slide(&lifted, &denoised, hat, between), between);
            target = denoised.mix(1.0 - c, &ahead, c);
        }
        x = slide(&lifted, &target, hat, to);
        Step { x: x.clone(), denoised, from, to }
    }))
}
