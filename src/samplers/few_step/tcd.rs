use crate::denoise::Estimate;
use crate::math::{Latent, Level, NoiseSchedule};
use crate::samplers::{Knob, Run, Step, Steps};

/// How far in time a step goes beyond its end, before fresh noise leads back: 0 is DDIM, 1 is multistep consistency
/// sampling.
pub const GAMMA: Knob = Knob::number("gamma", 0.0, 1.0, 0.3).formerly("eta");

/// Trajectory consistency sampling with strategic stochastic sampling, Zheng et al. 2024 (arXiv 2402.19159),
/// algorithm 4. One evaluation a step.
///
/// Each step leads to time `(1 - gamma) t`, less noisy than the grid asks for, and from there fresh noise leads back up to
/// `t`. The paper's `gamma` is [`GAMMA`].
pub fn tcd<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let gamma = tuning.get(&GAMMA);
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        let nsr = landing(schedule, to, gamma);
        let (kept, fresh) = (to.alpha * nsr, to.alpha * (to.nsr().powi(2) - nsr * nsr).sqrt());
        x = x0.mix(to.alpha, &eps, kept);
        if fresh > 0.0 {
            x = x.mix(1.0, &noise.over(&x, from, to), fresh);
        }
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}

/// The noise-to-signal ratio that a step to `to` first lands on. Where time is counted in timesteps it lands on a whole
/// one, as the model was distilled at those.
fn landing(schedule: &dyn NoiseSchedule, to: Level, gamma: f64) -> f64 {
    if gamma == 0.0 {
        return to.nsr();
    }
    let t = (1.0 - gamma) * to.t;
    let t = if schedule.timesteps().is_some() { t.floor() } else { t };
    schedule.level(t).nsr().min(to.nsr())
}
