use crate::denoise::Estimate;
use crate::math::{Latent, Level};
use crate::samplers::steps::{Churn, slide};
use crate::samplers::{Run, Step, Steps};

/// Heun's method in a flow's own time (Liu et al. 2022, arXiv 2209.03003, section 2.1: the ODE `dz = v(z, t) dt`).
/// Order 2, two evaluations a step, from pure noise too; Euler's step to the clean end.
///
/// Any process becomes the straight path `z = (1 - t) x_0 + t eps` by `z = x / (alpha + sigma)` and
/// `t = sigma / (alpha + sigma)`. The mean of the velocities at both ends leads where one slide leads towards
/// `x_0 + (x_0' - x_0) t / 2t'`, with `x_0'` the estimate at the far end.
pub fn flow_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let mut next = slide(&x, &denoised, from, to);
        if to.sigma > 0.0 {
            let ahead = model.denoise(&next, to);
            let c = 0.5 * time(from) / time(to);
            next = slide(&x, &denoised.mix(1.0 - c, &ahead, c), from, to);
        }
        x = next;
        Step { x: x.clone(), denoised, from, to }
    }))
}

/// The same as diffusers churns it: the model is asked before the noise is added, and its velocity, taken for that of the
/// noisier point, leads down from there. `S_churn` lifts the time `t`, and pure noise too. The walk ends with more noise
/// than the level says, the more the greater the churn; it is here so that pictures made with it can be made again.
pub fn flow_heun_churn_late<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let churn = Churn::new(&tuning, grid.steps(), schedule);
    let velocity = |x: &X, at: Level| {
        let Estimate { x0, eps, .. } = model.estimate(x, at);
        (eps.mix(1.0, &x0, -1.0), x0)
    };
    Box::new(grid.pairs().map(move |(from, to)| {
        let (slope, denoised) = velocity(&x, from);
        let hat = time(from) * (1.0 + churn.gamma(from));
        let fresh =
            (hat > time(from)).then(|| noise.normal(&x).scale(churn.scale * (hat * hat - time(from).powi(2)).sqrt()));
        let lifted = |x: X| fresh.as_ref().map_or(x.clone(), |fresh| x.mix(1.0, fresh, 1.0));
        x = if to.sigma > 0.0 {
            let z = lifted(x.scale(1.0 / (from.alpha + from.sigma)));
            let slope = slope.scale(time(from) / hat);
            let (norm, down) = (to.alpha + to.sigma, (time(to) - hat) * (to.alpha + to.sigma));
            let ahead = velocity(&z.mix(norm, &slope, down), to).0;
            z.mix(norm, &slope.mix(0.5, &ahead, 0.5), down)
        } else {
            lifted(denoised.clone())
        };
        Step { x: x.clone(), denoised, from, to }
    }))
}

/// The time of a level on the straight path.
fn time(at: Level) -> f64 {
    at.sigma / (at.alpha + at.sigma)
}
