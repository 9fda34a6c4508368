use crate::math::{Latent, Level};
use crate::samplers::coefficients::{moments, weights};
use crate::samplers::history::{Form, History};
use crate::samplers::{Run, Step, Steps};

/// The pair of a step's levels.
type Pair = (Level, Level);

/// PNDM, Liu et al. 2022 (arXiv 2202.09778), as Katherine Crowson's PLMS has it: Adams and Bashforth's constants on the
/// noise, as in algorithm 1, but a first step of Heun's kind, which asks twice. Order 2, then one evaluation a step.
pub fn pndm<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let (grid, schedule) = (run.grid, run.schedule);
    walk(run, usize::from(grid.steps() > 1), move |x, k1, (from, to), eps| {
        // Where steps do not chain, diffusers asks where the next one begins, and walks there by as many timesteps.
        let end = grid.pairs().nth(1).map_or(to, |(next, _)| next);
        let begin = if end == to { from } else { schedule.level(end.t + from.t - to.t) };
        let k2 = eps(&Form::Noise.advance(x, k1, (from, to)), end);
        Form::Noise.advance(x, &k1.mix(0.5, &k2, 0.5), (begin, end))
    })
}

/// PNDM, Liu et al. 2022 (arXiv 2202.09778), algorithm 1 with its pseudo Runge-Kutta start (equation 11). Order 2, four
/// evaluations in each of the first three steps, then one a step.
pub fn pndm_prk<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let schedule = run.schedule;
    walk(run, 3, move |x, k1, (from, to), eps| {
        // Half a step in time. Timesteps are whole numbers: of an odd step each end has its own half, as in diffusers.
        let half = (from.t - to.t) / 2.0;
        let half = if schedule.timesteps().is_some() { half.floor() } else { half };
        let (near, far) = (schedule.level(from.t - half), schedule.level(to.t + half));
        let to_level = |k: &X, level| Form::Noise.advance(x, k, (from, level));
        let k2 = eps(&to_level(k1, near), far);
        let k3 = eps(&to_level(&k2, far), far);
        let k4 = eps(&to_level(&k3, to), to);
        to_level(&k1.mix(1.0, &k4, 1.0).mix(1.0 / 6.0, &k2.mix(1.0, &k3, 1.0), 1.0 / 3.0), to)
    })
}

/// Algorithm 1 whose first steps, as many as `starts`, are `start`: given the point, its noise and the step's levels, and
/// the noise at any point, it says where the step ends. At an end of the process, where such a step would ask for the
/// noise where there is none or nothing else, it is one of the others.
fn walk<'a, X: Latent + 'static>(
    run: Run<'a, X>,
    starts: usize,
    start: impl Fn(&X, &X, Pair, &dyn Fn(&X, Level) -> X) -> X + 'a,
) -> Steps<'a, X> {
    const EVEN: [f64; 4] = [0.0, -1.0, -2.0, -3.0];
    let orders = run.orders();
    let Run { start: mut x, grid, model, .. } = run;
    let mut history = History::new(Form::Noise);
    let eps = |x: &X, at| Form::Noise.estimate(x, &model.denoise(x, at), at);
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        x = if i < starts && from.alpha > 0.0 && to.sigma > 0.0 {
            start(&x, &Form::Noise.estimate(&x, &denoised, from), (from, to), &eps)
        } else {
            let weights = weights(&EVEN[..history.levels(orders.at(i)).len()], &moments(0.0));
            history.step(&x, &denoised, &weights, (from, to))
        };
        Step { x: x.clone(), denoised, from, to }
    }))
}
