//! The likelihood of a diffusion model, by its probability-flow ODE.

use super::dopri5::{Solution, integrate};
use super::statistics::mean;
use super::{Control, Differentiable, OdeError, PulledBack};
use crate::math::{Level, NoiseSchedule, Spacing, TorchGenerator};
use std::f64::consts::TAU;

/// The vectors that the divergence is estimated with.
#[derive(Clone, Debug, PartialEq)]
pub enum Probes {
    /// Every unit vector: the divergence itself, at one derivative a dimension.
    Exact,
    /// Random vectors `v` with `E[v v^T] = 1`: `v^T J v` has the trace as its mean (Skilling 1989, doi
    /// 10.1007/978-94-015-7860-8_48; Hutchinson 1990, doi 10.1080/03610919008812866).
    Random(Vec<Vec<f64>>),
}

impl Probes {
    /// `n` vectors of `len` signs. They have the least variance of all independent probes.
    pub fn rademacher(seed: u64, n: usize, len: usize) -> Self {
        let mut generator = TorchGenerator::new(seed);
        let sign = |u: f64| if u < 0.5 { -1.0 } else { 1.0 };
        Self::Random((0..n).map(|_| generator.rand_f64(len).into_iter().map(sign).collect()).collect())
    }

    fn vectors(&self, len: usize) -> Vec<Vec<f64>> {
        let unit = |i| (0..len).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
        match self {
            Self::Exact => (0..len).map(unit).collect(),
            Self::Random(vectors) => vectors.clone(),
        }
    }

    /// How many estimates of a trace they give.
    fn estimates(&self) -> usize {
        match self {
            Self::Exact => 1,
            Self::Random(vectors) => vectors.len(),
        }
    }

    /// The trace of `a - b J` as each probe has it, from the products `v^T J`; all unit vectors together are one.
    fn traces(&self, vectors: &[Vec<f64>], products: &[Vec<f64>], (a, b): (f64, f64)) -> Vec<f64> {
        let trace = |v: &[f64], p: &[f64]| v.iter().zip(p).map(|(v, p)| v * (a * v - b * p)).sum();
        let each = vectors.iter().zip(products).map(|(v, p)| trace(v, p));
        match self {
            Self::Exact => vec![each.sum()],
            Self::Random(_) => each.collect(),
        }
    }
}

/// `ln N(x; 0, (alpha^2 + sigma^2) I)` in nats: the distribution of the noise that a run of the samplers starts from.
pub fn standard_normal(x: &[f64], at: Level) -> f64 {
    let std = at.marginal_std();
    x.iter().map(|v| -0.5 * (v / std).powi(2) - std.ln() - 0.5 * TAU.ln()).sum()
}

/// The likelihood of a model: `ln p(x(from)) = ln p(x(to)) + int div f du`, with `f` the drift of the probability-flow
/// ODE `dx/du = f` (Song et al. 2021, arXiv 2011.13456, equation 39, after Chen et al. 2018, arXiv 1806.07366,
/// theorem 1).
///
/// The ODE is solved in `z = x / sqrt(alpha^2 + sigma^2)` along `u = ln s`, `s = sigma / alpha`. There every process has
/// one drift, which fades at both ends: with `y = x / alpha = z sqrt(1 + s^2)`
///
/// `dz/du = z / (1 + s^2) - x_0(y, s) / sqrt(1 + s^2)`, `div = n / (1 + s^2) - tr(d x_0 / d y)`.
///
/// The change from one coordinate to the other is exact: `ln p_y(y) = ln p_z(z) - n ln sqrt(1 + s^2)`.
pub struct Likelihood<'a> {
    /// The process of the model.
    pub schedule: &'a dyn NoiseSchedule,
    /// Noise-to-signal ratio at which a data point is taken to lie on the flow.
    pub from: f64,
    /// Noise-to-signal ratio of the noise.
    pub to: f64,
    /// With a tolerance: of `z` relative to `1 + |z|`, root mean square, and of `ln p` in nats a dimension.
    pub control: Control,
}

/// The logarithm of a density, in nats.
#[derive(Clone, Debug)]
pub struct LogDensity {
    /// `ln p` as each random probe has it; a single value if the divergence is exact.
    pub each: Vec<f64>,
    /// `z` at the noisy end, near standard normal.
    pub latent: Vec<f64>,
    /// Steps of the solver.
    pub accepted: usize,
    /// Steps that were tried and found too long.
    pub rejected: usize,
    /// Evaluations of the model with its derivatives.
    pub evaluations: usize,
}

impl LogDensity {
    /// The mean over the probes.
    pub fn nats(&self) -> f64 {
        mean(&self.each).0
    }

    /// Standard error of [`nats`](Self::nats) from the choice of probes; `None` for fewer than two.
    pub fn standard_error(&self) -> Option<f64> {
        mean(&self.each).1
    }
}

impl<'a> Likelihood<'a> {
    /// Over all levels of `schedule`, from its least noisy one to its noisiest, or to [`Spacing::LARGEST_RATIO`] where
    /// that one is infinite.
    pub fn new(schedule: &'a dyn NoiseSchedule, control: Control) -> Self {
        let nsr = |t| schedule.level(t).nsr();
        let to = Some(nsr(schedule.t_max())).filter(|nsr| nsr.is_finite()).unwrap_or(Spacing::LARGEST_RATIO);
        Self { schedule, from: nsr(schedule.t_min()), to, control }
    }

    /// `ln p(y)` of the data point `y` of `model.dimensions()` numbers, taken to be `x / alpha` at ratio `from`. `prior` is the
    /// log density of `x` at ratio `to`, mostly [`standard_normal`]. `watch` gets how much of the way is done, 0 to 1.
    ///
    /// # Errors
    /// The model failed; the solver found no end; numbers that are not finite.
    pub fn log_density<M: Differentiable>(
        &self,
        model: &M,
        y: &[f64],
        probes: &Probes,
        prior: impl Fn(&[f64], Level) -> f64,
        watch: &mut dyn FnMut(f64),
    ) -> Result<LogDensity, OdeError<M::Error>> {
        let n = y.len();
        let vectors = probes.vectors(n);
        let slope = |u: f64, state: &[f64]| {
            let s = u.exp();
            let level = self.schedule.level_at(s);
            let (norm, std) = (1.0_f64.hypot(s), level.marginal_std());
            let z = &state[..n];
            let x: Vec<f64> = z.iter().map(|z| z * std).collect();
            let PulledBack { x0, products } = model.pull_back(&x, level, &vectors)?;
            let drift = z.iter().zip(&x0).map(|(z, x0)| z / norm / norm - x0 / norm);
            let divergence = probes.traces(&vectors, &products, (1.0 / norm / norm, level.alpha));
            Ok(drift.chain(divergence).collect())
        };
        let measure = |error: &[f64], state: &[f64]| {
            let relative = error.iter().zip(state).take(n).map(|(e, z)| (e / (1.0 + z.abs())).powi(2));
            let rms = (relative.sum::<f64>() / n as f64).sqrt();
            error[n..].iter().fold(rms, |most, e| most.max(e.abs() / n as f64))
        };
        let shrink = 1.0_f64.hypot(self.from);
        let start = y.iter().map(|y| y / shrink).chain(vec![0.0; probes.estimates()]).collect();
        let range = (self.from.ln(), self.to.ln());
        let Solution { y: mut latent, accepted, rejected, evaluations } =
            integrate(slope, start, range, self.control, measure, watch)?;
        let integrals = latent.split_off(n);
        let end = self.schedule.level_at(self.to);
        let x: Vec<f64> = latent.iter().map(|z| z * end.marginal_std()).collect();
        let dims = n as f64;
        let constant = prior(&x, end) + dims * end.marginal_std().ln() - dims * shrink.ln();
        let each = integrals.iter().map(|integral| constant + integral).collect();
        Ok(LogDensity { each, latent, accepted, rejected, evaluations })
    }
}
