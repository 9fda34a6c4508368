//! The training objective.

use crate::math::{Level, NoiseSchedule};
use crate::models::Pretrained;
use burn::tensor::{Tensor, TensorData};

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
pub fn objective(model: &Pretrained, example: &Example) -> Tensor<1> {
    let Example { x0, eps, t, classes } = example;
    let levels: Vec<_> = t.iter().map(|&t| model.schedule.level(t)).collect();
    let target = combine(x0, eps, levels.iter().map(|&level| model.prediction.target(level)));
    let output = model.output(diffuse(x0, eps, &levels), &levels, classes.as_deref());
    let error = (output - target).powi_scalar(2).flatten::<2>(1, 3);
    error.mean_dim(1).squeeze_dim(1)
}

/// `a * x0 + b * eps` with a pair `(a, b)` an image.
fn combine(x0: &Tensor<4>, eps: &Tensor<4>, pairs: impl Iterator<Item = (f64, f64)>) -> Tensor<4> {
    let (a, b): (Vec<_>, Vec<_>) = pairs.map(|(a, b)| (a as f32, b as f32)).unzip();
    let each = |values: Vec<f32>| {
        let shape = [values.len(), 1, 1, 1];
        Tensor::<4>::from_data(TensorData::new(values, shape), &x0.device())
    };
    x0.clone() * each(a) + eps.clone() * each(b)
}
