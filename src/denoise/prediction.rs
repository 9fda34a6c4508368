//! What a network's output means, as two scalars.

use crate::math::{Latent, Level};

/// What the network was trained to output at `x = alpha * x_0 + sigma * eps`.
///
/// Turning an output into an estimate of `x_0` is `c_skip * x + c_out * output` for each of them, the form of EDM's
/// preconditioning (Karras et al. 2022, arXiv 2206.00364, equation 7), so no sampler branches on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "interchange", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "interchange", serde(rename_all = "snake_case"))]
pub enum Prediction {
    /// `eps` (Ho et al. 2020, arXiv 2006.11239, equation 14).
    Epsilon,
    /// `x_0` itself.
    Sample,
    /// `v = alpha * eps - sigma * x_0` (Salimans & Ho 2022, arXiv 2202.00512, appendix D).
    #[cfg_attr(feature = "interchange", serde(rename = "v_prediction"))]
    Velocity,
    /// The flow's velocity `eps - x_0` on the straight path (Lipman et al. 2023, arXiv 2210.02747).
    #[cfg_attr(feature = "interchange", serde(rename = "flow_prediction"))]
    Flow,
    /// The score `-eps / sigma` (Song et al. 2021, arXiv 2011.13456).
    Score,
}

impl Prediction {
    /// `(c_skip, c_out)` with `x_0 = c_skip * x + c_out * output`.
    pub fn coefficients(self, Level { alpha, sigma, .. }: Level) -> (f64, f64) {
        match self {
            Self::Epsilon => (1.0 / alpha, -sigma / alpha),
            Self::Sample => (0.0, 1.0),
            Self::Velocity => {
                let norm = alpha * alpha + sigma * sigma;
                (alpha / norm, -sigma / norm)
            }
            Self::Flow => (1.0 / (alpha + sigma), -sigma / (alpha + sigma)),
            Self::Score => (1.0 / alpha, sigma * sigma / alpha),
        }
    }

    /// `(a, b)` with `a * x_0 + b * eps` what the network is trained to output. A score needs `sigma > 0`.
    pub fn target(self, Level { alpha, sigma, .. }: Level) -> (f64, f64) {
        match self {
            Self::Epsilon => (0.0, 1.0),
            Self::Sample => (1.0, 0.0),
            Self::Velocity => (-sigma, alpha),
            Self::Flow => (-1.0, 1.0),
            Self::Score => (0.0, -1.0 / sigma),
        }
    }

    /// The estimate of `x_0` that `output` states at `x`.
    pub fn to_x0<X: Latent>(self, x: &X, output: &X, at: Level) -> X {
        let (c_skip, c_out) = self.coefficients(at);
        x.mix(c_skip, output, c_out)
    }

    /// The output that a network of this kind would give for the estimate `x0` at `x`: the inverse of
    /// [`to_x0`](Self::to_x0). Needs `sigma > 0`, as the noise cannot be told from a clean picture.
    pub fn from_x0<X: Latent>(self, x: &X, x0: &X, at: Level) -> X {
        let (c_skip, c_out) = self.coefficients(at);
        x0.mix(1.0 / c_out, x, -c_skip / c_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Prediction; 5] =
        [Prediction::Epsilon, Prediction::Sample, Prediction::Velocity, Prediction::Flow, Prediction::Score];

    #[test]
    fn the_target_is_what_gives_x0_back() {
        let levels = [(0.6, 0.8), (1.0, 3.0), (0.3, 0.7), (1e-3, 1.0)];
        for (alpha, sigma) in levels {
            let at = Level { t: 0.0, alpha, sigma };
            for prediction in ALL {
                let (x0, eps) = (0.7_f64, -1.3);
                let (a, b) = prediction.target(at);
                let (x, output) = (x0.mix(alpha, &eps, sigma), x0.mix(a, &eps, b));
                let got = prediction.to_x0(&x, &output, at);
                // Rounding of `x` comes back divided by alpha.
                assert!((got - x0).abs() < 1e-14 / alpha, "{prediction:?} at {at:?}: {got}");
                let back = prediction.from_x0(&x, &x0, at);
                assert!(
                    (back - output).abs() < 1e-13 * (1.0 + output.abs()) / alpha,
                    "{prediction:?} at {at:?}: {back}"
                );
            }
        }
    }
}
