//! `figures.json`: what an autoencoder makes of pictures that it never saw.

use serde_json::{Value, json};

/// Half the width of the window of [`ssim`], and its deviation in pixels.
const HALF: usize = 5;
const DEVIATION: f64 = 1.5;

/// Of pairs of pictures and their reconstructions, `3 * side * side` in `[-1, 1]`, and of latents by channel.
pub fn of(pairs: &[[Vec<f32>; 2]], spread: &[Vec<f32>]) -> Value {
    let mean = |of: &dyn Fn(&[Vec<f32>; 2]) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (psnr, ssim) = (mean(&|[one, other]| psnr(one, other)), mean(&|[one, other]| ssim(one, other)));
    // Where no emoji was kept back there is nothing to say, and NaN is no JSON.
    let said = |figure: f64| (!pairs.is_empty()).then_some(figure);
    json!({
        "kept_back": pairs.len(),
        "psnr": said(psnr),
        "ssim": said(ssim),
        "latent_mean": spread.iter().map(|values| average(values)).collect::<Vec<_>>(),
        "latent_std": spread.iter().map(|values| deviation(values)).collect::<Vec<_>>(),
    })
}

fn average(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}

/// The standard deviation, as that of a sample.
pub fn deviation(values: &[f32]) -> f64 {
    let mean = average(values);
    let sum: f64 = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
    (sum / (values.len() as f64 - 1.0)).sqrt()
}

/// Peak signal-to-noise ratio in decibels.
fn psnr(one: &[f32], other: &[f32]) -> f64 {
    let square = |(a, b): (&f32, &f32)| (f64::from(a - b) / 2.0).powi(2);
    let mse = one.iter().zip(other).map(square).sum::<f64>() / one.len() as f64;
    -10.0 * mse.log10()
}

/// Structural similarity, each channel by itself (Wang et al. 2004, doi 10.1109/TIP.2003.819861), with their Gaussian window.
fn ssim(one: &[f32], other: &[f32]) -> f64 {
    let plane = one.len() / 3;
    let side = plane.isqrt();
    let unit = |values: &[f32]| -> Vec<f64> { values.iter().map(|v| (f64::from(*v) + 1.0) / 2.0).collect() };
    let channel = |c: usize| similarity(&unit(&one[c * plane..][..plane]), &unit(&other[c * plane..][..plane]), side);
    (0..3).map(channel).sum::<f64>() / 3.0
}

fn similarity(one: &[f64], other: &[f64], side: usize) -> f64 {
    let product = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
    let blurred = |values: &[f64]| blur(values, side);
    let (mean_one, mean_other) = (blurred(one), blurred(other));
    let [squares_one, squares_other, products] =
        [product(one, one), product(other, other), product(one, other)].map(|values| blurred(&values));
    let [c1, c2] = [0.01f64.powi(2), 0.03f64.powi(2)];
    let at = |i: usize| {
        let (a, b) = (mean_one[i], mean_other[i]);
        let covariance = products[i] - a * b;
        let variances = squares_one[i] - a * a + squares_other[i] - b * b;
        (2.0 * a * b + c1) * (2.0 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2))
    };
    (0..mean_one.len()).map(at).sum::<f64>() / mean_one.len() as f64
}

/// Where the whole window fits.
fn blur(values: &[f64], side: usize) -> Vec<f64> {
    let line: Vec<f64> =
        (0..=2 * HALF).map(|i| (-(i as f64 - HALF as f64).powi(2) / (2.0 * DEVIATION.powi(2))).exp()).collect();
    let sum: f64 = line.iter().sum();
    let out = side - 2 * HALF;
    let along = |row: usize, column: usize| -> f64 {
        line.iter().enumerate().map(|(i, weight)| weight * values[row * side + column + i]).sum::<f64>() / sum
    };
    let rows: Vec<f64> = (0..side * out).map(|i| along(i / out, i % out)).collect();
    let down = |row: usize, column: usize| -> f64 {
        line.iter().enumerate().map(|(i, weight)| weight * rows[(row + i) * out + column]).sum::<f64>() / sum
    };
    (0..out * out).map(|i| down(i / out, i % out)).collect()
}
