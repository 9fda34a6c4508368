//! The variational bound on the negative log-likelihood, term by term.

use super::{Decoder, Readable};
use crate::math::{Grid, Level, Posterior};

/// The variance of the model's steps `p(x_s | x_t)` (Ho et al. 2020, arXiv 2006.11239, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// The posterior's, [`beta-tilde`](Posterior::variance).
    Small,
    /// The forward process', [`beta`](Posterior::forward_variance).
    Large,
}

impl Variance {
    fn of(self, step: Posterior) -> f64 {
        match self {
            Self::Small => step.variance(),
            Self::Large => step.forward_variance(),
        }
    }
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
/// `m` the difference of the two [means](Posterior::mean), `alpha_s (1 - r^2) (x_0 - x_0(x_t))`.
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
            let nats = term((t, s), (x0, estimate), (variance, decoder));
            if done + 1 == pairs.len() {
                bound.decoder = nats;
            } else {
                bound.steps.push((t, nats));
            }
        }
        watch(done + 1);
    }
    Ok(bounds)
}

/// The term of the step from `t` to `s`, given `x_0` and its estimate: `L_0` where `s` is clean, and else `L_{t-1}`.
pub fn term((t, s): (Level, Level), (x0, estimate): (&[f64], &[f64]), (variance, decoder): (Variance, Decoder)) -> f64 {
    if s.sigma == 0.0 {
        return -decoder.log_likelihood(x0, estimate, t.sigma);
    }
    let square = x0.iter().zip(estimate).map(|(a, b)| (a - b).powi(2)).sum();
    transition(variance, (t, s), square, x0.len())
}

/// `L_T`, `KL(N(alpha x_0, sigma^2) || N(0, alpha^2 + sigma^2))` over `n` dimensions, given `|x_0|^2`.
pub fn prior(square: f64, n: usize, Level { alpha, sigma, .. }: Level) -> f64 {
    let variance = alpha * alpha + sigma * sigma;
    let q = sigma * sigma / variance;
    0.5 * (n as f64 * (q - 1.0 - q.ln()) + alpha * alpha * square / variance)
}

/// A step's term, given the squared error of the estimate of `x_0`. It is a line in that error, as the Gaussian decoder's term is: the
/// expectation of a term is the term of the expected error.
pub(crate) fn transition(variance: Variance, (t, s): (Level, Level), square: f64, n: usize) -> f64 {
    // Without a less noisy level to go to there is no posterior, and the term is zero.
    let Some(step) = Posterior::new(t, s) else { return 0.0 };
    let v = variance.of(step);
    let q = step.variance() / v;
    let (_, of_x0) = step.mean();
    let mean = of_x0 * of_x0 * square / v;
    0.5 * (n as f64 * (q - 1.0 - q.ln()) + mean)
}
