//! The variational bound on the negative log-likelihood, term by term.

use super::{Decoder, Readable};
use crate::math::{Grid, Level};

/// The variance of the model's steps `p(x_s | x_t)` (Ho et al. 2020, arXiv 2006.11239, section 3.2), written with
/// `r = nsr_s / nsr_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// The posterior's, `beta-tilde = sigma_s^2 (1 - r^2)`.
    Small,
    /// The forward process', `beta = sigma_t^2 (1 - r^2)`.
    Large,
}

impl Variance {
    /// Of the step from `t` to `s`.
    fn of(self, t: Level, s: Level) -> f64 {
        let sigma = match self {
            Self::Small => s.sigma,
            Self::Large => t.sigma,
        };
        sigma * sigma * fresh(t, s)
    }
}

/// `1 - r^2`: the share of the noise of `s` that is not in what it has from `t`.
fn fresh(t: Level, s: Level) -> f64 {
    let r = s.nsr() / t.nsr();
    1.0 - r * r
}

/// The terms of `-ln p(x_0) <= L_T + sum_t L_{t-1} + L_0`, in nats (Ho et al. 2020, arXiv 2006.11239, equation 5).
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// `L_T = KL(q(x_T | x_0) || p(x_T))`: how far the noisiest point is from the noise that sampling starts with.
    pub prior: f64,
    /// `L_{t-1} = KL(q(x_s | x_t, x_0) || p(x_s | x_t))` of each step but the last, noisy first, with the level of `x_t`.
    pub steps: Vec<(Level, f64)>,
    /// `L_0 = -ln p(x_0 | x_1)`, around the estimate of `x_0` and with the variance `sigma_1^2 = beta_1`. (The other
    /// variance is zero here; the paper's code then takes that of the step before.)
    pub decoder: f64,
}

impl Bound {
    /// The bound itself, in nats.
    pub fn nats(&self) -> f64 {
        self.prior + self.steps.iter().map(|(_, nats)| nats).sum::<f64>() + self.decoder
    }
}

/// One draw of the bound for each of the `samples`, on the chain that steps through the levels of `grid`, which must end
/// clean; its last step is the decoder's. `noise(i, n)` draws `n` standard normal numbers for sample `i`; its mean over draws is the bound.
/// `watch` gets how many evaluations of the model, on all samples at once, are done.
///
/// All terms are exact but for the one draw of `x_t` in each:
/// `KL = (n (q - 1 - ln q) + |m|^2 / v) / 2` with `v` the model's variance, `q` the posterior's divided by it, and
/// `m = alpha_s (1 - r^2) (x_0 - x_0(x_t))` the difference of the two means.
///
/// # Errors
/// The model failed.
pub fn bound<M: Readable>(
    model: &M,
    samples: &[Vec<f64>],
    grid: &Grid,
    (variance, decoder): (Variance, Decoder),
    noise: &mut dyn FnMut(usize, usize) -> Vec<f64>,
    watch: &mut dyn FnMut(usize),
) -> Result<Vec<Bound>, M::Error> {
    let n = model.dimensions();
    let size = |x0: &[f64]| x0.iter().map(|v| v * v).sum();
    let begin = |x0: &Vec<f64>| Bound { prior: prior(size(x0), n, grid.first()), steps: Vec::new(), decoder: 0.0 };
    let mut bounds: Vec<_> = samples.iter().map(begin).collect();
    let pairs: Vec<_> = grid.pairs().collect();
    for (done, (t, s)) in pairs.iter().copied().enumerate() {
        let diffuse = |(i, x0): (usize, &Vec<f64>)| {
            let eps = noise(i, n);
            x0.iter().zip(eps).map(|(x0, eps)| t.alpha * x0 + t.sigma * eps).collect::<Vec<_>>()
        };
        let x: Vec<f64> = samples.iter().enumerate().flat_map(diffuse).collect();
        let estimates = model.denoise(&x, t)?;
        for ((x0, estimate), bound) in samples.iter().zip(estimates.chunks_exact(n)).zip(&mut bounds) {
            if done + 1 == pairs.len() {
                bound.decoder = -decoder.log_likelihood(x0, estimate, t.sigma);
            } else {
                let square: f64 = x0.iter().zip(estimate).map(|(a, b)| (a - b).powi(2)).sum();
                bound.steps.push((t, transition(variance, (t, s), square, n)));
            }
        }
        watch(done + 1);
    }
    Ok(bounds)
}

/// `KL(N(alpha x_0, sigma^2) || N(0, alpha^2 + sigma^2))` over `n` dimensions, given `|x_0|^2`.
pub(crate) fn prior(square: f64, n: usize, Level { alpha, sigma, .. }: Level) -> f64 {
    let variance = alpha * alpha + sigma * sigma;
    let q = sigma * sigma / variance;
    0.5 * (n as f64 * (q - 1.0 - q.ln()) + alpha * alpha * square / variance)
}

/// A step's term, given the squared error of the estimate of `x_0`. It is a line in that error, as the Gaussian decoder's term is: the
/// expectation of a term is the term of the expected error.
pub(crate) fn transition(variance: Variance, (t, s): (Level, Level), square: f64, n: usize) -> f64 {
    let v = variance.of(t, s);
    let q = Variance::Small.of(t, s) / v;
    let mean = (s.alpha * fresh(t, s)).powi(2) * square / v;
    0.5 * (n as f64 * (q - 1.0 - q.ln()) + mean)
}
