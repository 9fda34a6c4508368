//! The training objective.

use crate::denoise::Prediction;
use crate::math::{Level, NoiseSchedule};
use crate::pipeline::{Condition, Pipeline};
use burn::tensor::{Device, Tensor, TensorData};

/// What one evaluation of the objective is given, image by image.
pub struct Example {
    /// Clean pictures, `[images, channels, height, width]`.
    pub x0: Tensor<4>,
    /// Standard normal noise of the same shape.
    pub eps: Tensor<4>,
    /// Each image's time, in the model's own coordinate.
    pub t: Vec<f64>,
    /// Each image's label; `None` for a model without classes.
    pub classes: Option<Vec<usize>>,
}

/// The forward process in one go: `x_t = alpha_t x_0 + sigma_t eps`, each image at its own level (Ho et al. 2020,
/// arXiv 2006.11239, equation 4). Shapes `[images, channels, height, width]`.
pub fn diffuse(x0: &Tensor<4>, eps: &Tensor<4>, levels: &[Level]) -> Tensor<4> {
    combine(x0, eps, levels.iter().map(|level| (level.alpha, level.sigma)))
}

/// The mean squared error of the network's output against what it was trained to predict, `[images]`. For a network
/// that predicts `eps` its mean is `L_simple` (Ho et al. 2020, arXiv 2006.11239, equation 14).
pub fn objective(model: &Pipeline, example: &Example) -> Tensor<1> {
    let Example { x0, eps, t, classes } = example;
    let levels: Vec<_> = t.iter().map(|&t| model.schedule.level(t)).collect();
    let condition = classes.clone().map_or(Condition::Nothing, Condition::Classes);
    let output = model.output(diffuse(x0, eps, &levels), &levels, &condition);
    squared_error(output, x0, eps, &levels, model.prediction)
}

/// The same of what a network answered at `x_t`.
pub fn squared_error(
    output: Tensor<4>,
    x0: &Tensor<4>,
    eps: &Tensor<4>,
    levels: &[Level],
    prediction: Prediction,
) -> Tensor<1> {
    let target = combine(x0, eps, levels.iter().map(|&level| prediction.target(level)));
    let error = (output - target).powi_scalar(2).flatten::<2>(1, 3);
    error.mean_dim(1).squeeze_dim(1)
}

/// What the squared error of an image counts in the mean: `sigma^2` for a score, which makes it the error of `eps` (Song et
/// al. 2021, arXiv 2011.13456, equation 7), and 1 for anything else.
pub fn lambda(prediction: Prediction, Level { sigma, .. }: Level) -> f64 {
    if prediction == Prediction::Score { sigma * sigma } else { 1.0 }
}

/// Weights of Hang et al. 2023 (arXiv 2303.09556, section 3.4): those of `x_0` by the signal-to-noise ratio, which is held to
/// at most `gamma`. For networks that predict `eps`, `x_0` or `v`; at zero signal that of `eps` has no meaning.
pub fn min_snr(prediction: Prediction, gamma: f64, level: Level) -> f64 {
    let snr = level.nsr().powi(-2);
    let of_x0 = match prediction {
        Prediction::Epsilon | Prediction::Score | Prediction::Flow => snr,
        Prediction::Sample => 1.0,
        Prediction::Velocity => snr + 1.0,
    };
    snr.min(gamma) / of_x0
}

/// One number an image, `[images]`.
pub fn each(values: impl Iterator<Item = f64>, device: &Device) -> Tensor<1> {
    let values: Vec<f32> = values.map(|v| v as f32).collect();
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// `a * x0 + b * eps` with a pair `(a, b)` an image.
fn combine(x0: &Tensor<4>, eps: &Tensor<4>, pairs: impl Iterator<Item = (f64, f64)>) -> Tensor<4> {
    let (a, b): (Vec<_>, Vec<_>) = pairs.unzip();
    let spread = |values: Vec<f64>| each(values.into_iter(), &x0.device()).reshape([-1, 1, 1, 1]);
    x0.clone() * spread(a) + eps.clone() * spread(b)
}
