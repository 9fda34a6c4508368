use super::groups::orders;
use crate::math::{Latent, Level, Noise};
use crate::samplers::coefficients::{MIDPOINT, moments, nodes, weights};
use crate::samplers::history::{Form, History};
use crate::samplers::steps::{self, ratio, renoise};
use crate::samplers::{Knob, Run, Step, Steps};

/// Order of the method, and the number of the grid's steps that are one step of it.
pub const ORDER: Knob = Knob::whole("order", 1, 3, 2);

/// A factor on the standard deviation of the fresh noise, of the methods that draw it.
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE;

/// DPM-Solver++(2S) and (3S), Lu et al. 2022 (arXiv 2211.01095), algorithm 1, and its third-order kin, on the grid's own
/// levels: `k` of the grid's steps are one step of order `k`, and all of them start where the first one did. One
/// evaluation a step.
///
/// Order 3 needs a group's levels to be nearly thirds of its length in log-SNR, as in the paper.
pub fn dpmpp_singlestep<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, Form::Data, midpoint)
}

/// DPM-Solver++(2S) and (3S) that integrate the polynomial through a group's estimates exactly (diffusers' "heun").
pub fn dpmpp_singlestep_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, Form::Data, |nodes, z| weights(nodes, &moments(z)))
}

/// DPM-Solver-2 and -3, Lu et al. 2022 (arXiv 2206.00927), algorithms 1 and 2, on the grid's own levels as
/// [`dpmpp_singlestep`] has them. One evaluation a step.
pub fn dpm_solver_singlestep<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, Form::Noise, midpoint)
}

/// DPM-Solver-2 and -3 that integrate the polynomial through a group's estimates exactly (diffusers' "heun").
pub fn dpm_solver_singlestep_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, Form::Noise, |nodes, z| weights(nodes, &moments(z)))
}

/// SDE-DPM-Solver++ in single steps, as diffusers has it after Lu et al. 2022 (arXiv 2211.01095), section 5: the groups of
/// [`dpmpp_singlestep`] on the reverse SDE. Weak order 1, as every stage draws noise of its own; one evaluation a step.
pub fn dpmpp_sde_singlestep<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample_sde(run, midpoint)
}

/// The same with the polynomial through a group's estimates integrated exactly (diffusers' "heun").
pub fn dpmpp_sde_singlestep_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample_sde(run, |nodes, z| weights(nodes, &moments(z)))
}

/// The papers' weights: of two estimates the middle of their line, of three the exact mean of the line through the first
/// and the last, which is that of the parabola where the last stands at two thirds.
fn midpoint(nodes: &[f64], z: f64) -> Vec<f64> {
    match *nodes {
        [last, _, first] => {
            let line = weights(&[last, first], &moments(z));
            vec![line[0], 0.0, line[1]]
        }
        _ => weights(nodes, &MIDPOINT),
    }
}

/// Which weights the estimates of a group have, by their nodes and the rate of the step.
type Weigh = fn(&[f64], f64) -> Vec<f64>;

fn sample<X: Latent + 'static>(run: Run<'_, X>, form: Form, weigh: Weigh) -> Steps<'_, X> {
    grouped(run, form, move |history, (begin, denoised), levels, step, _| {
        let weights = weigh(&nodes(levels, step, Level::lambda), form.rate(step));
        history.step(begin, denoised, &weights, step)
    })
}

/// A step of length `h` keeps `exp(-h)` of the noise at its end, and the estimate's weight has the rate `-2h`.
fn sample_sde<X: Latent + 'static>(run: Run<'_, X>, weigh: Weigh) -> Steps<'_, X> {
    let scale = run.tuning.get(&NOISE_SCALE);
    grouped(run, Form::Data, move |history, (begin, _), levels, (from, to), noise| {
        let rate = 2.0 * Form::Data.rate((from, to));
        let target = history.mean(&weigh(&nodes(levels, (from, to), Level::lambda), rate));
        let kept = ratio(from, to);
        let fresh = scale * (1.0 - kept * kept).sqrt();
        renoise(begin, &target, (from, to), (to.sigma * kept, to.sigma * fresh), noise)
    })
}

/// Takes the grid's steps in groups. `advance` is given the estimates so far, where the group began and the newest estimate,
/// the levels of the group's evaluations, newest first, and the step from the group's beginning.
fn grouped<'a, X: Latent + 'static>(
    run: Run<'a, X>,
    form: Form,
    advance: impl Fn(&History<X>, (&X, &X), &[Level], (Level, Level), &mut dyn Noise<X>) -> X + 'a,
) -> Steps<'a, X> {
    let orders = run.orders.map_or_else(|| orders(run.grid, run.tuning.whole(&ORDER)), |listed| listed.steps.to_vec());
    let Run { start: mut x, grid, model, noise, .. } = run;
    let mut history = History::new(form);
    let mut begin = x.clone();
    Box::new(grid.pairs().enumerate().map(move |(i, (from, to))| {
        let denoised = model.denoise(&x, from);
        history.learn(&x, &denoised, from);
        let levels = history.levels(orders.get(i).copied().unwrap_or(1));
        if levels.len() == 1 {
            begin = x.clone();
        }
        let step = (levels[levels.len() - 1], to);
        x = advance(&history, (&begin, &denoised), levels, step, noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
