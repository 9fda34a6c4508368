use crate::math::{Latent, Level};
use crate::samplers::coefficients::adams_bashforth;
use crate::samplers::history::{Form, History};
use crate::samplers::{Run, Step, Steps};

/// The pair of a step's levels.
type Pair = (Level, Level);

/// PNDM, Liu et al. 2022 (arXiv 2202.09778), as Katherine Crowson's PLMS has it: Adams and Bashforth's constants on the
/// noise, as in algorithm 2, but a first step of Heun's kind, which asks twice. Order 2, then one evaluation a step.
pub fn pndm<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    heun_start(run, Form::Noise)
}

/// The same on the velocity, which diffusers holds in place of the noise where the network predicts that. What the
/// velocity means turns with the level, and the constants do not know it: order 1.
pub fn pndm_velocity<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    heun_start(run, Form::Velocity)
}

/// PNDM, Liu et al. 2022 (arXiv 2202.09778), algorithm 2 with its pseudo Runge-Kutta start (equation 12). Order 2, four
/// evaluations in each of the first three steps, then one a step.
pub fn pndm_prk<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    runge_kutta_start(run, Form::Noise)
}

/// The same on the velocity, again of order 1.
pub fn pndm_prk_velocity<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    runge_kutta_start(run, Form::Velocity)
}

fn heun_start<X: Latent + 'static>(run: Run<'_, X>, form: Form) -> Steps<'_, X> {
    let (starts, schedule) = (usize::from(run.grid.steps() > 1), run.schedule);
    walk(run, form, starts, move |x, k1, (from, to), end, estimate| {
        let begin = if end == to { from } else { schedule.level(end.t + from.t - to.t) };
        let k2 = estimate(&form.advance(x, k1, (from, to)), end);
        form.advance(x, &k1.mix(0.5, &k2, 0.5), (begin, end))
    })
}

fn runge_kutta_start<X: Latent + 'static>(run: Run<'_, X>, form: Form) -> Steps<'_, X> {
    let schedule = run.schedule;
    walk(run, form, 3, move |x, k1, (from, to), end, estimate| {
        // Half a step in time. Timesteps are whole numbers: of an odd step each end has its own half, as in diffusers.
        let half = (from.t - to.t) / 2.0;
        let half = if schedule.timesteps().is_some() { half.floor() } else { half };
        let (near, far) = (schedule.level(from.t - half), schedule.level(end.t + half));
        let to_level = |k: &X, level| form.advance(x, k, (from, level));
        let k2 = estimate(&to_level(k1, near), far);
        let k3 = estimate(&to_level(&k2, far), far);
        let k4 = estimate(&to_level(&k3, end), end);
        to_level(&k1.mix(1.0, &k4, 1.0).mix(1.0 / 6.0, &k2.mix(1.0, &k3, 1.0), 1.0 / 3.0), end)
    })
}

/// Algorithm 2 whose first steps, as many as `starts`, are `start`: given the point, its estimate, the step's levels, where
/// the next step begins, and the estimate at any point, it says where the step ends. At an end of the process, where such
/// a step would ask for the noise where there is none or nothing else, it is one of the others.
fn walk<'a, X: Latent + 'static>(
    run: Run<'a, X>,
    form: Form,
    starts: usize,
    start: impl Fn(&X, &X, Pair, Level, &dyn Fn(&X, Level) -> X) -> X + 'a,
) -> Steps<'a, X> {
    let orders = run.orders(4);
    let Run { start: mut x, grid, model, .. } = run;
    let mut history = History::new(form);
    let estimate = move |x: &X, at| form.estimate(x, &model.denoise(x, at), at);
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        x = if i < starts && from.alpha > 0.0 && to.sigma > 0.0 {
            // Where steps do not chain, diffusers goes to where the next one begins.
            let end = grid.pairs().nth(i + 1).map_or(to, |(next, _)| next);
            start(&x, &form.estimate(&x, &denoised, from), (from, to), end, &estimate)
        } else {
            let weights = adams_bashforth(history.levels(orders.at(i)).len());
            history.step(&x, &denoised, &weights, (from, to))
        };
        Step { x: x.clone(), denoised, from, to }
    }))
}
