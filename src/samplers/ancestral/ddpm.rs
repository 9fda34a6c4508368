use crate::denoise::Estimate;
use crate::math::{Latent, Level};
use crate::samplers::steps::{ratio, renoise, slide};
use crate::samplers::{Run, Step, Steps};

/// DDPM ancestral sampling, Ho et al. 2020 (arXiv 2006.11239), algorithm 2, with the posterior variance `beta-tilde_t`
/// (section 3.2: right for data that is one point). Weak order 1, one evaluation a step.
pub fn ddpm<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |_, to| to.sigma)
}

/// DDPM with the forward variance `beta_t` (section 3.2: right for data that is standard normal). Weak order 1, one
/// evaluation a step.
pub fn ddpm_large<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |from, _| from.sigma)
}

/// DDPM with the variance that the model learned, Nichol & Dhariwal 2021 (arXiv 2102.09672), equation 15: between the
/// logarithms of `beta-tilde_t` (at -1) and `beta_t` (at 1), at every place its own. Weak order 1, one evaluation a step.
/// A model that learned none has the small variance.
pub fn ddpm_learned<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, variance, .. } = model.estimate(&x, from);
        let r = ratio(from, to);
        x = slide(&x, &x0, from, Level { sigma: r * to.sigma, ..to });
        if to.sigma > 0.0 {
            let small = to.sigma * (1.0 - r * r).sqrt();
            // Half of the logarithm by which the two standard deviations differ.
            let part = 0.5 * (from.sigma / to.sigma).ln();
            let drawn = noise.over(&x, from, to);
            let drawn = variance.map_or(drawn.clone(), |v| drawn.times(&v.scale(part).exp()).scale(part.exp()));
            x = x.mix(1.0, &drawn, small);
        }
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}

/// Algorithm 2 on any two levels. With `r` the ratio of their noise-to-signal ratios the posterior mean keeps
/// `r * to.sigma` of the noise, and the variances are `beta-tilde = to.sigma^2 (1 - r^2)` and
/// `beta = from.sigma^2 (1 - r^2)`. The last step draws nothing, as in the algorithm (`z = 0` for `t = 1`).
fn sample<X: Latent + 'static>(run: Run<'_, X>, sigma: fn(Level, Level) -> f64) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, .. } = run;
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let r = ratio(from, to);
        let fresh = if to.sigma > 0.0 { sigma(from, to) * (1.0 - r * r).sqrt() } else { 0.0 };
        x = renoise(&x, &denoised, (from, to), (r * to.sigma, fresh), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
