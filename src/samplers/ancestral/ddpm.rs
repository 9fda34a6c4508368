use crate::math::{Latent, Level};
use crate::samplers::steps::{ratio, renoise};
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
