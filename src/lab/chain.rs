//! The forward process, step by step and in closed form.

use super::{Cloud, CloudNoise, Process};
use crate::denoise::noised;
use crate::math::{Latent, Level};

/// The forward Markov chain from the points `start`: what there is before the first step, and after each of `steps` steps at
/// equal times of the clock, with noise of its own in every step.
///
/// `x_t = (alpha_t / alpha_s) x_s + sqrt(sigma_t^2 - (alpha_t / alpha_s)^2 sigma_s^2) eps`, which is `sqrt(1 - beta_t) x_s +
/// sqrt(beta_t) eps` where variance is preserved (Ho et al. 2020, arXiv 2006.11239, equation 2).
pub fn chain<'a>(
    process: &'a Process,
    start: Cloud,
    steps: usize,
    noise: &'a mut CloudNoise,
) -> impl Iterator<Item = (Level, Cloud)> + 'a {
    let levels = (1..=steps).map(move |step| process.level(step as f64 / steps as f64));
    let (mut x, mut from) = (start.clone(), Level::CLEAN);
    let noised = levels.map(move |to| {
        let keep = to.alpha / from.alpha;
        let fresh = (to.sigma.powi(2) - (keep * from.sigma).powi(2)).max(0.0).sqrt();
        x = x.mix(keep, &noise.draw(x.0.len()), fresh);
        from = to;
        (to, x.clone())
    });
    std::iter::once((Level::CLEAN, start)).chain(noised)
}

/// The same marginal in one step, `x_t = alpha_t x_0 + sigma_t eps` (the same, equation 4), with the one noise of `seed`
/// whatever the level: each point then moves on a smooth path.
pub fn closed_form(start: &Cloud, at: Level, seed: u32) -> Cloud {
    noised(start, &CloudNoise::new(seed).draw(start.0.len()), at)
}
