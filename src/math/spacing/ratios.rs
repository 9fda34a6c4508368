//! Spacings that choose noise-to-signal ratios: pure functions from the largest ratio, the smallest and a count.

use crate::math::linspace;

/// `n` noise-to-signal ratios from `most` to `least` whose `rho`-th roots are equally spaced (Karras et al. 2022, arXiv
/// 2206.00364, equation 5); `most` alone where `n` is 1.
pub fn karras(most: f64, least: f64, rho: f64, n: usize) -> Vec<f64> {
    linspace(most.powf(1.0 / rho), least.powf(1.0 / rho), n).into_iter().map(|root| root.powf(rho)).collect()
}

/// `n` noise-to-signal ratios from `most` to `least` whose logarithms are equally spaced; `most` alone where `n` is 1.
pub fn exponential(most: f64, least: f64, n: usize) -> Vec<f64> {
    linspace(most.ln(), least.ln(), n).into_iter().map(f64::exp).collect()
}

/// `n` noise-to-signal ratios from `most` to `least` whose logarithms fall as `u^rho`, `u` from 1 to 0 in equal steps
/// (k-diffusion's `get_sigmas_polyexponential`): [`exponential`] where `rho` is 1.
pub fn polyexponential(most: f64, least: f64, rho: f64, n: usize) -> Vec<f64> {
    let part = |u: f64| u.powf(rho);
    linspace(1.0, 0.0, n).into_iter().map(|u| (part(u) * most.ln() + (1.0 - part(u)) * least.ln()).exp()).collect()
}

/// `n` noise-to-signal ratios from `most` to `least` whose arctangents are equally spaced: the optimum of the
/// Kullback-Leibler bound for Gaussian data of unit variance (Sabour et al. 2024, arXiv 2404.14507, section 3).
pub fn kl_optimal(most: f64, least: f64, n: usize) -> Vec<f64> {
    linspace(most.atan(), least.atan(), n).into_iter().map(f64::tan).collect()
}

/// `n` fractions of the largest noise level, the first of them 1, that go on to 0: half of the steps together take
/// away a fortieth in equal parts, the others the rest on a parabola that continues the line (Genmo's Mochi 1; its
/// `linear_quadratic_schedule` with `threshold_noise` 0.025).
pub fn linear_quadratic(n: usize) -> Vec<f64> {
    const THRESHOLD: f64 = 0.025;
    let (straight, curved) = ((n / 2) as f64, (n - n / 2) as f64);
    // Where there is no straight half, the single step starts at 1.
    let slope = if straight > 0.0 { THRESHOLD / straight } else { 0.0 };
    let bend = (1.0 - THRESHOLD - slope * curved) / (curved * curved);
    let removed = |i: f64| slope * i + bend * (i - straight).max(0.0).powi(2);
    (0..n).map(|i| 1.0 - removed(i as f64)).collect()
}

/// `n` noise-to-signal ratios whose logarithms lie on a curve through `heights`, straight between them: 1 is `most`, 0 is `least`.
/// `most` alone where `n` is 1, whatever the curve.
pub fn drawn(most: f64, least: f64, heights: &[f64], n: usize) -> Vec<f64> {
    let pieces = heights.len().saturating_sub(1).max(1) as f64;
    let height = |u: f64| {
        let place = (u * pieces).min(pieces - f64::EPSILON * pieces);
        let (before, part) = (place as usize, place.fract());
        let [from, to] = [before, before + 1].map(|i| heights.get(i).or(heights.last()).copied().unwrap_or(1.0));
        from + part * (to - from)
    };
    let ratio = |u: f64| (height(u) * most.ln() + (1.0 - height(u)) * least.ln()).exp();
    if n == 1 { vec![most] } else { linspace(0.0, 1.0, n).into_iter().map(ratio).collect() }
}
