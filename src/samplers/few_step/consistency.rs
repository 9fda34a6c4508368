use crate::math::{Latent, Level, NoiseSchedule};
use crate::samplers::steps::renoise;
use crate::samplers::{Knob, Run, Step, Steps, steps};

/// LCM's `timestep_scaling` and `sigma_data`.
const TIMESTEP_SCALING: f64 = 10.0;
const SIGMA_DATA: f64 = 0.5;

/// Training timesteps of a process whose time is continuous, for LCM's boundary conditions.
const TIMESTEPS: f64 = 1000.0;

/// A factor on the standard deviation of the fresh noise (diffusers' `s_noise`).
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE;

/// Multistep consistency sampling, Song et al. 2023 (arXiv 2303.01469), algorithm 1. One evaluation a step.
///
/// The model leads to the least noise that it was trained at, `s_min`, so only `s^2 - s_min^2` is added. Nothing is drawn
/// where that is nothing.
pub fn consistency<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let (least, scale) = (run.schedule.level(run.schedule.t_min()).nsr(), run.tuning.get(&NOISE_SCALE));
    sample(run, estimate, move |to| scale * to.alpha * (to.nsr().powi(2) - least * least).max(0.0).sqrt())
}

/// Latent consistency sampling, Luo et al. 2023 (arXiv 2310.04378), algorithm 3, with the model's estimate as its
/// consistency function, as ComfyUI has it. One evaluation a step.
pub fn lcm<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, estimate, |to| to.sigma)
}

/// The same with LCM's boundary conditions, section 4.1 of the paper: the consistency function is
/// `c_skip(t) x + c_out(t) x_0`, which is `x` itself at time 0. At the timesteps of a distilled model `c_skip` is below
/// 1e-4, and a walk ends that near to the estimate.
pub fn lcm_boundary<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, boundary, |to| to.sigma)
}

/// A consistency function: where the model's estimate and the point itself lead.
type Consistency<X> = fn(&X, X, Level, &dyn NoiseSchedule) -> X;

fn estimate<X>(_: &X, x0: X, _: Level, _: &dyn NoiseSchedule) -> X {
    x0
}

/// `x` is at unit variance here, as LCM's variance-preserving process has it.
fn boundary<X: Latent>(x: &X, x0: X, at: Level, schedule: &dyn NoiseSchedule) -> X {
    let timestep = if schedule.timesteps().is_some() { at.t } else { TIMESTEPS * at.t / schedule.t_max() };
    let scaled = TIMESTEP_SCALING * timestep;
    let norm = scaled.hypot(SIGMA_DATA);
    x0.mix(scaled / norm, x, (SIGMA_DATA / norm).powi(2) / at.marginal_std())
}

/// To the data in one evaluation, and back to the next level with `fresh` new noise and none of the old.
fn sample<'a, X: Latent + 'static>(
    run: Run<'a, X>,
    consistency: Consistency<X>,
    fresh: impl Fn(Level) -> f64 + 'a,
) -> Steps<'a, X> {
    let Run { start: mut x, grid, schedule, model, noise, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = consistency(&x, model.denoise(&x, from), from, schedule);
        x = renoise(&x, &denoised, (from, to), (0.0, fresh(to)), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
