//! Denoisers that are exactly right, for data whose distribution is known.

use super::Denoiser;
use crate::math::{Latent, Level};
use std::f64::consts::TAU;

/// The smallest standard deviation that is told apart from none: its square is still a normal floating-point number.
const LEAST_STD: f64 = 1e-140;

/// `ln` of the least share of the largest component that is counted: thousands of smaller ones change no digit.
const NEGLIGIBLE: f64 = -45.0;

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

    /// The components, in the order that they were given in.
    pub fn components(&self) -> &[Component<N>] {
        &self.0
    }

    /// The distribution of `x = alpha x_0 + sigma eps`, to be evaluated at many points.
    pub fn at(&self, Level { alpha, sigma, .. }: Level) -> Noised<N> {
        let total: f64 = self.0.iter().map(|c| c.weight).sum();
        let constant = -total.ln() - 0.5 * N as f64 * TAU.ln();
        let part = |c: &Component<N>| {
            let std = (alpha * c.std).hypot(sigma).max(LEAST_STD);
            Part {
                log: c.weight.ln() - N as f64 * std.ln(),
                mean: c.mean,
                centre: c.mean.scale(alpha),
                inverse: 1.0 / std,
                data: alpha * c.std * (c.std / std),
                noise: sigma / std,
                width: c.std * (sigma / std),
            }
        };
        Noised { parts: self.0.iter().map(part).collect(), constant }
    }

    /// The exact posterior means at `x = alpha x_0 + sigma eps`, from no noise at all to nothing but noise.
    pub fn posterior(&self, x: &[f64; N], at: Level) -> Posterior<N> {
        self.at(at).posterior(x)
    }

    /// `ln p_t(x)` in nats, the density of `x = alpha x_0 + sigma eps`: the same mixture, each component widened to the
    /// standard deviation `sqrt(alpha^2 std^2 + sigma^2)`.
    pub fn log_density(&self, x: &[f64; N], at: Level) -> f64 {
        self.at(at).log_density(x)
    }

    /// Derivative of the posterior mean, `J[i][j] = d E[x_0]_i / d x_j`. It is `alpha / sigma^2` times the posterior
    /// covariance of `x_0`, so it is symmetric (Efron 2011, "Tweedie's formula and selection bias", section 2).
    pub fn jacobian(&self, x: &[f64; N], at: Level) -> [[f64; N]; N] {
        self.at(at).jacobian(x)
    }
}

/// A [`Mixture`] at one noise level. What depends on the level alone is computed once, and a question allocates nothing.
#[derive(Clone, Debug)]
pub struct Noised<const N: usize> {
    parts: Vec<Part<N>>,
    /// What the logarithms of all parts lack.
    constant: f64,
}

/// A component at a noise level.
#[derive(Clone, Copy, Debug)]
struct Part<const N: usize> {
    /// `ln` of its weighted density at its own centre, up to a constant.
    log: f64,
    /// Its mean, without noise.
    mean: [f64; N],
    /// The mean of its noisy points.
    centre: [f64; N],
    /// One over the standard deviation of its noisy points.
    inverse: f64,
    /// How far `E[x_0 | x]` is from the mean, and how large `E[eps | x]` is, for each noisy standard deviation that `x` is off the
    /// centre.
    data: f64,
    noise: f64,
    /// Standard deviation of `x_0` given `x`, if it came from it.
    width: f64,
}

impl<const N: usize> Part<N> {
    /// `ln` of its weighted density at `x` up to that constant, and the offset of `x` in its standard deviations. Divided before it is squared,
    /// so that nothing overflows however little or much noise there is.
    fn at(&self, x: &[f64; N]) -> (f64, [f64; N]) {
        let offset = std::array::from_fn(|i| (x[i] - self.centre[i]) * self.inverse);
        (self.log - 0.5 * offset.iter().map(|d| d * d).sum::<f64>(), offset)
    }

    /// `E[x_0 | x]` if `x`, at this offset in standard deviations, came from it.
    fn x0(&self, offset: &[f64; N]) -> [f64; N] {
        self.mean.mix(1.0, offset, self.data)
    }
}

impl<const N: usize> Noised<N> {
    /// The posterior means at `x`.
    pub fn posterior(&self, x: &[f64; N]) -> Posterior<N> {
        let mut mean = Posterior { x0: [0.0; N], eps: [0.0; N] };
        let (_, total) = self.responses(x, |share, part, offset| {
            mean.x0 = mean.x0.mix(1.0, &part.x0(offset), share);
            mean.eps = mean.eps.mix(1.0, offset, share * part.noise);
        });
        Posterior { x0: mean.x0.scale(1.0 / total), eps: mean.eps.scale(1.0 / total) }
    }

    /// `E|x_0 - estimate|^2` given `x`: the squared error of an estimate. That of the posterior mean is the trace of the posterior
    /// covariance, which no denoiser can avoid.
    pub fn squared_error(&self, x: &[f64; N], estimate: &[f64; N]) -> f64 {
        let mut square = 0.0;
        let (_, total) = self.responses(x, |share, part, offset| {
            let apart = part.x0(offset).mix(1.0, estimate, -1.0);
            square += share * (apart.iter().map(|v| v * v).sum::<f64>() + N as f64 * part.width * part.width);
        });
        square / total
    }

    /// `ln p_t(x)` in nats.
    pub fn log_density(&self, x: &[f64; N]) -> f64 {
        let (largest, total) = self.responses(x, |_, _, _| ());
        largest + total.ln() + self.constant
    }

    /// The score `grad ln p_t(x)`. It is `-E[eps] / sigma`, and there too where there is no noise.
    pub fn score(&self, x: &[f64; N]) -> [f64; N] {
        let mut slope = [0.0; N];
        let (_, total) = self.responses(x, |share, part, offset| {
            slope = slope.mix(1.0, offset, -share * part.inverse);
        });
        slope.scale(1.0 / total)
    }

    /// Derivative of the posterior mean.
    pub fn jacobian(&self, x: &[f64; N]) -> [[f64; N]; N] {
        // A share changes by itself times how much its slope -offset / std^2 differs from the mean slope.
        let mean = self.score(x);
        let mut out = [[0.0; N]; N];
        let (_, total) = self.responses(x, |share, part, offset| {
            let turn = offset.mix(-share * part.inverse, &mean, -share);
            let x0 = part.x0(offset);
            for (i, row) in out.iter_mut().enumerate() {
                *row = row.mix(1.0, &turn, x0[i]);
                row[i] += share * part.data * part.inverse;
            }
        });
        out.map(|row| row.scale(1.0 / total))
    }

    /// Tells `each` of every component that counts at `x`: its density over the largest one, itself and the offset of `x` in
    /// its standard deviations. What comes back is `ln` of the largest density, and the sum of what was told.
    fn responses(&self, x: &[f64; N], mut each: impl FnMut(f64, &Part<N>, &[f64; N])) -> (f64, f64) {
        let (mut largest, mut total) = (f64::NEG_INFINITY, 0.0);
        for part in &self.parts {
            let (log, _) = part.at(x);
            if log > largest {
                largest = log;
            }
        }
        for part in &self.parts {
            let (log, offset) = part.at(x);
            // A number that is not one counts too, so that it shows.
            if log - largest < NEGLIGIBLE {
                continue;
            }
            let share = (log - largest).exp();
            total += share;
            each(share, part, &offset);
        }
        (largest, total)
    }
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

    /// The posterior covariance is `sigma^2 / alpha` times the Jacobian, and in pure noise that of the data.
    #[test]
    fn the_squared_error_is_the_posterior_covariance_and_the_square_of_the_bias() {
        let component = |weight, mean, std| Component { weight, mean, std };
        let model = Mixture::new(vec![component(1.0, [-1.0, 0.5], 0.5), component(3.0, [2.0, 0.0], 0.2)]).unwrap();
        for at in [level(1.0, 0.7), level(0.6, 0.8), level(0.1, 3.0), level(1.0, 0.05)] {
            for x in [[0.3, 0.4], [1.2, -0.5], [-2.0, 3.0]] {
                let (jacobian, x0, here) = (model.jacobian(&x, at), model.denoise(&x, at), model.at(at));
                let expected = at.sigma * at.sigma / at.alpha * (jacobian[0][0] + jacobian[1][1]);
                near([here.squared_error(&x, &x0)], [expected], 1e-9 * (1.0 + expected));
                near([here.squared_error(&x, &[x0[0] + 0.3, x0[1] - 0.4])], [expected + 0.25], 1e-9 * (1.0 + expected));
            }
        }
        // Within the components 2 (0.25 + 3 0.04) / 4, and between them 3/16 (3^2 + 0.5^2).
        near([model.at(level(0.0, 1.0)).squared_error(&[5.0, 5.0], &[1.25, 0.125])], [0.185 + 1.734375], 1e-12);
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
