//! A step in numbers.

use crate::session;
use serde::Serialize;
use tsify::Tsify;

/// A step from `x_t` to `x_s` in numbers; what it has not is `null`.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct StepNumbers {
    /// Root mean square of the noise that it found.
    noise: Option<f64>,
    /// Root mean square of how far the estimate of the picture has moved since the step before.
    change: Option<f64>,
    /// The variance of the forward process from `s` to `t`.
    beta: Option<f64>,
    /// The variance of the posterior `q(x_s | x_t, x_0)`.
    beta_tilde: Option<f64>,
    /// How far `x_s` is from the posterior's mean, in its standard deviations: 1 for a draw from it.
    distance: Option<f64>,
    /// The cosine between that difference and the noise that was found: 1 where the step adds it again, about 0 where its noise is
    /// fresh.
    along: Option<f64>,
}

impl From<session::StepNumbers> for StepNumbers {
    fn from(numbers: session::StepNumbers) -> Self {
        let session::StepNumbers { noise, change, forward_variance, variance, distance, along } = numbers;
        Self { noise, change, beta: forward_variance, beta_tilde: variance, distance, along }
    }
}
