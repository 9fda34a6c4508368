//! Denoisers that are exactly right, for data whose law is known.

use super::Denoiser;
use crate::math::{Latent, Level};
use std::f64::consts::TAU;

/// The smallest standard deviation that is told from none: its square is still a normal floating-point number.
const LEAST_STD: f64 = 1e-140;

/// One isotropic Gaussian of a [`Mixture`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component<const N: usize> {
    /// Share of the data, relative to the other components.
    pub weight: f64,
    pub mean: [f64; N],
    /// Standard deviation in every direction; 0 is a single point.
    pub std: f64,
}

/// What the exact denoiser knows of a noisy point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior<const N: usize> {
    /// `E[x_0 | x]`.
    pub x0: [f64; N],
    /// `E[eps | x]`.
    pub eps: [f64; N],
}

/// Data drawn from a mixture of isotropic Gaussians in N dimensions. Its exact denoiser is the posterior mean; with
/// components of no width it is that of a finite data set, the softmax over its points (Karras et al. 2022, arXiv
/// 2206.00364, appendix B.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture<const N: usize>(Vec<Component<N>>);

impl<const N: usize> Mixture<N> {
    /// The mixture of `components`; `None` without any, or if a weight is not above 0 or a width is below 0 or any
    /// number is not finite.
    pub fn new(components: Vec<Component<N>>) -> Option<Self> {
        let valid = |c: &Component<N>| {
            let width = (0.0..f64::INFINITY).contains(&c.std) && c.mean.iter().all(|v| v.is_finite());
            c.weight > 0.0 && c.weight.is_finite() && width
        };
        (!components.is_empty() && components.iter().all(valid)).then_some(Self(components))
    }

    /// The finite data set `points`, each as likely as the others; `None` without any.
    pub fn of_points(points: &[[f64; N]]) -> Option<Self> {
        Self::new(points.iter().map(|mean| Component { weight: 1.0, mean: *mean, std: 0.0 }).collect())
    }

    /// The components at `kept`, a class of the data: conditioned on it, its exact denoiser is their own. `None` without
    /// any.
    ///
    /// # Panics
    /// If there is no such component.
    pub fn only(&self, kept: &[usize]) -> Option<Self> {
        Self::new(kept.iter().map(|&k| self.0[k]).collect())
    }

    /// The exact posterior means at `x = alpha x_0 + sigma eps`, from no noise at all to nothing but noise.
    pub fn posterior(&self, x: &[f64; N], at: Level) -> Posterior<N> {
        let mut mean = Posterior { x0: [0.0; N], eps: [0.0; N] };
        for c in self.responses(x, at).1 {
            mean.x0 = mean.x0.mix(1.0, &c.x0, c.share);
            mean.eps = mean.eps.mix(1.0, &c.offset, c.share * (at.sigma / c.std / c.std));
        }
        mean
    }

    /// `ln p_t(x)` in nats, the density of `x = alpha x_0 + sigma eps`: the same mixture, each component widened to the
    /// standard deviation `sqrt(alpha^2 std^2 + sigma^2)`.
    pub fn log_density(&self, x: &[f64; N], at: Level) -> f64 {
        let weights: f64 = self.0.iter().map(|c| c.weight).sum();
        self.responses(x, at).0 - weights.ln() - 0.5 * N as f64 * TAU.ln()
    }

    /// Derivative of the posterior mean, `J[i][j] = d E[x_0]_i / d x_j`. It is `alpha / sigma^2` times the posterior
    /// covariance of `x_0`, so it is symmetric (Efron 2011, "Tweedie's formula and selection bias", section 2).
    pub fn jacobian(&self, x: &[f64; N], at: Level) -> [[f64; N]; N] {
        let responses = self.responses(x, at).1;
        // A share changes by itself times how much its slope -offset / std^2 differs from the mean slope.
        let slope = |c: &Response<N>| c.offset.scale(-1.0 / c.std / c.std);
        let mean = responses.iter().fold([0.0; N], |sum, c| sum.mix(1.0, &slope(c), c.share));
        let mut out = [[0.0; N]; N];
        for c in &responses {
            let turn = slope(c).mix(c.share, &mean, -c.share);
            for (i, row) in out.iter_mut().enumerate() {
                *row = row.mix(1.0, &turn, c.x0[i]);
                row[i] += c.share * c.data;
            }
        }
        out
    }

    /// The logarithm of the summed, unnormalised densities, and what each component makes of `x`.
    fn responses(&self, x: &[f64; N], Level { alpha, sigma, .. }: Level) -> (f64, Vec<Response<N>>) {
        let response = |c: &Component<N>| {
            let std = (alpha * c.std).hypot(sigma).max(LEAST_STD);
            let offset: [f64; N] = std::array::from_fn(|i| x[i] - alpha * c.mean[i]);
            // Divided before it is squared, so that nothing overflows however little or much noise there is.
            let distance: f64 = offset.iter().map(|d| (d / std).powi(2)).sum();
            let log = c.weight.ln() - N as f64 * std.ln() - 0.5 * distance;
            // The share of the offset that is data, as std^2 is alpha^2 c.std^2 + sigma^2.
            let data = alpha * (c.std / std).powi(2);
            Response { share: log, std, offset, data, x0: c.mean.mix(1.0, &offset, data) }
        };
        let mut all: Vec<_> = self.0.iter().map(response).collect();
        let largest = all.iter().map(|c| c.share).fold(f64::NEG_INFINITY, f64::max);
        all.iter_mut().for_each(|c| c.share = (c.share - largest).exp());
        let total: f64 = all.iter().map(|c| c.share).sum();
        all.iter_mut().for_each(|c| c.share /= total);
        (largest + total.ln(), all)
    }
}

/// What one component makes of a noisy point.
struct Response<const N: usize> {
    /// Probability that the point came from it.
    share: f64,
    /// Standard deviation of its noisy points.
    std: f64,
    /// From its noisy mean to the point.
    offset: [f64; N],
    /// Derivative of `x0` by the point.
    data: f64,
    /// `E[x_0 | x]` if the point came from it.
    x0: [f64; N],
}

impl<const N: usize> Denoiser<[f64; N]> for Mixture<N> {
    fn denoise(&self, x: &[f64; N], at: Level) -> [f64; N] {
        self.posterior(x, at).x0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(alpha: f64, sigma: f64) -> Level {
        Level { t: 0.0, alpha, sigma }
    }

    fn near<const N: usize>(a: [f64; N], b: [f64; N], tolerance: f64) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance), "{a:?} is not {b:?}");
    }

    fn two() -> Mixture<1> {
        let component = |weight, mean, std| Component { weight, mean: [mean], std };
        Mixture::new(vec![component(1.0, -1.0, 0.5), component(3.0, 2.0, 0.25)]).unwrap()
    }

    /// The posterior mean is the ratio of two integrals over `x_0`, here summed on a fine line.
    #[test]
    fn it_is_the_posterior_mean() {
        for (alpha, sigma, x) in [(1.0, 0.7, 0.4), (0.6, 0.8, -0.3), (0.3, 0.7, 1.1), (1.0, 5.0, 2.0)] {
            let (mut mass, mut first) = (0.0, 0.0);
            for k in 0..200_000 {
                let x0 = -5.0 + k as f64 * 5e-5;
                let normal = |v: f64, std: f64| (-0.5 * (v / std).powi(2)).exp() / std;
                let prior = normal(x0 + 1.0, 0.5) + 3.0 * normal(x0 - 2.0, 0.25);
                let p = prior * normal(x - alpha * x0, sigma);
                mass += p;
                first += p * x0;
            }
            let at = level(alpha, sigma);
            let Posterior { x0, eps } = two().posterior(&[x], at);
            near(x0, [first / mass], 1e-9);
            // x is alpha x_0 + sigma eps, also in the mean.
            near([alpha * x0[0] + sigma * eps[0]], [x], 1e-12);
            near(two().denoise(&[x], at), x0, 0.0);
        }
    }

    #[test]
    fn a_data_set_is_a_softmax_over_its_points() {
        let data = Mixture::of_points(&[[0.0, 0.0], [1.0, 2.0]]).unwrap();
        let (x, sigma) = ([0.5, 0.6], 0.8);
        let weight = |p: [f64; 2]| (-((x[0] - p[0]).powi(2) + (x[1] - p[1]).powi(2)) / (2.0 * sigma * sigma)).exp();
        let share = weight([1.0, 2.0]) / (weight([0.0, 0.0]) + weight([1.0, 2.0]));
        near(data.denoise(&x, level(1.0, sigma)), [share, 2.0 * share], 1e-15);
    }

    /// The density integrates to one, and its logarithm's slope is the score `-E[eps] / sigma`.
    #[test]
    fn the_density_is_one_and_its_slope_is_the_score() {
        for at in [level(1.0, 0.7), level(0.6, 0.8), level(0.0, 1.0)] {
            let density = |x: f64| two().log_density(&[x], at);
            let mass: f64 = (0..200_000).map(|k| density(-10.0 + k as f64 * 1e-4).exp() * 1e-4).sum();
            near([mass], [1.0], 1e-9);
            let (x, h) = (0.4, 1e-5);
            let slope = (density(x + h) - density(x - h)) / (2.0 * h);
            near([slope], [-two().posterior(&[x], at).eps[0] / at.sigma], 1e-8);
        }
    }

    #[test]
    fn the_jacobian_is_the_slope_of_the_posterior_mean() {
        let component = |weight, mean, std| Component { weight, mean, std };
        let model = Mixture::new(vec![component(1.0, [-1.0, 0.5], 0.5), component(3.0, [2.0, 0.0], 0.2)]).unwrap();
        for at in [level(1.0, 0.7), level(0.6, 0.8), level(0.1, 3.0), level(1.0, 0.05)] {
            for x in [[0.3, 0.4], [1.2, -0.5], [-2.0, 3.0]] {
                let (jacobian, h) = (model.jacobian(&x, at), 1e-5);
                near([jacobian[0][1]], [jacobian[1][0]], 1e-12 * (1.0 + jacobian[0][1].abs()));
                for j in 0..2 {
                    let moved = |h: f64| {
                        let mut x = x;
                        x[j] += h;
                        model.denoise(&x, at)
                    };
                    let slope = moved(h).mix(0.5 / h, &moved(-h), -0.5 / h);
                    near([jacobian[0][j], jacobian[1][j]], slope, 1e-7);
                }
            }
        }
    }

    #[test]
    fn without_noise_it_is_the_point_itself_or_the_nearest_of_a_data_set() {
        let data = Mixture::of_points(&[[0.0], [1.0], [5.0]]).unwrap();
        for sigma in [0.0, 1e-300, 1e-100, 1e-9] {
            near(data.denoise(&[1.3], level(1.0, sigma)), [1.0], 0.0);
            near(two().denoise(&[1.3], level(1.0, sigma)), [1.3], 1e-9);
        }
    }

    #[test]
    fn in_pure_or_huge_noise_it_is_the_mean_of_the_data() {
        near(two().denoise(&[7.0], level(0.0, 1.0)), [1.25], 1e-15);
        for sigma in [1e12, 1e150, 1e300] {
            near(two().denoise(&[2.0 * sigma], level(1.0, sigma)), [1.25], 1e-9);
        }
    }

    #[test]
    fn what_is_no_law_is_refused() {
        assert_eq!(Mixture::<1>::of_points(&[]), None);
        assert_eq!(Mixture::of_points(&[[f64::NAN]]), None);
        for (weight, std) in [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (f64::INFINITY, 1.0), (1.0, f64::NAN)] {
            assert_eq!(Mixture::new(vec![Component { weight, mean: [0.0], std }]), None);
        }
    }
}
