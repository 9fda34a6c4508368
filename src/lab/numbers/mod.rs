//! What the theory has numbers for, of what the laboratory shows.

use super::run::{RunError, Stage};
use super::settings::Pane;
use super::{Cloud, Distribution, Process};
use crate::denoise::Denoiser;
use crate::eval::convergence::{Counted, steps_within};
use crate::eval::{
    self, Control, Decoder, Differentiable, Inversion, Likelihood, OdeError, Probes, Readable, Variance,
};
use crate::math::{GridError, Level, Spacing, TorchGenerator};
use crate::samplers::method;
use std::convert::Infallible;

/// The likelihood of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLikelihood {
    /// By the probability-flow ODE of the model, in nats.
    pub ode: f64,
    /// Of the distribution itself.
    pub analytic: f64,
    /// Evaluations of the model with its derivatives.
    pub nfe: usize,
}

/// The smallest noise-to-signal ratio that a point is taken to have, and the accuracy of the solver: its error in `ln p` is
/// of this many nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    pub from: f64,
    pub tolerance: f64,
}

impl Accuracy {
    /// Of an exact model: no noise that could be seen.
    pub const EXACT: Self = Self { from: 1e-4, tolerance: 1e-6 };

    /// Of a network, which knows the levels that it was trained at, and answers in single precision.
    pub fn learned(process: &Process) -> Self {
        Self { from: process.level(0.0).nsr(), tolerance: 1e-4 }
    }
}

/// The likelihood of `point` under `model` and under `distribution`, both with the same smallest noise. The noisy end of the ODE has
/// the distribution's own density there, so that what is measured is the flow alone.
///
/// # Errors
/// The solver found no end.
pub fn likelihood<M: Differentiable>(
    (distribution, process): (&Distribution, &Process),
    model: &M,
    point: [f64; 2],
    Accuracy { from, tolerance }: Accuracy,
) -> Result<LogLikelihood, OdeError<M::Error>> {
    let whole = Likelihood::new(process.schedule(), Control::Tolerance(tolerance));
    let prior = |x: &[f64], at: Level| x.as_chunks().0.iter().map(|x| distribution.at(at).log_density(x)).sum();
    let flow = Likelihood { from, ..whole }.log_density(model, &point, &Probes::Exact, prior, &mut |_| {})?;
    // The point is x / alpha.
    let analytic = distribution.at(Level::variance_exploding(0.0, from)).log_density(&point);
    Ok(LogLikelihood { ode: flow.nats(), analytic, nfe: flow.evaluations })
}

/// The variational bound of a chain, in nats a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// `L_0, L_1, .., L_T`: the decoder's term, those of the steps from data to noise, and the prior's.
    pub terms: Vec<f64>,
    /// The mean of `-ln p` over the same points: what the bound is above.
    pub nll: f64,
}

/// The bound of the chain of `steps` steps, averaged over `points`, with one draw of noise for each term.
///
/// # Errors
/// A grid that cannot be built.
pub fn bound<M: Readable<Error = Infallible>>(
    (distribution, process): (&Distribution, &Process),
    model: &M,
    points: &Cloud,
    steps: usize,
    seed: u32,
) -> Result<Terms, GridError> {
    let grid = process.grid(steps)?;
    let samples: Vec<_> = points.0.iter().map(|x| x.to_vec()).collect();
    let mut generator = TorchGenerator::new(seed.into());
    let noise = &mut |_: usize, n: usize| generator.randn_f64(n);
    // The better of the two where the data is wider than a step's noise (Ho et al. 2020, arXiv 2006.11239, section 3.2).
    let kind = (Variance::Large, Decoder::Gaussian);
    let Ok(all) = eval::bound(model, &samples, &grid, kind, noise, &mut |_| {});
    let mean = |f: &dyn Fn(&eval::Bound) -> f64| all.iter().map(f).sum::<f64>() / all.len() as f64;
    let middle = (0..steps - 1).rev().map(|i| mean(&|bound| bound.steps[i].1));
    let terms = [mean(&|bound| bound.decoder)].into_iter().chain(middle).chain([mean(&|bound| bound.prior)]);
    let distribution = distribution.at(Level::CLEAN);
    let nll = -points.0.iter().map(|x| distribution.log_density(x)).sum::<f64>() / points.0.len() as f64;
    Ok(Terms { terms: terms.collect(), nll })
}

/// The evaluations that samplers are raced with.
pub const RACE: [usize; 5] = [5, 10, 20, 50, 100];

/// The pane's sampler with as many steps as `evaluations` allow; `None` where they allow none, or where the method chooses its
/// steps itself.
pub fn within(pane: &Pane, process: &Process, evaluations: usize) -> Option<Pane> {
    let steps = match pane.row() {
        None => evaluations,
        Some(row) => {
            let row = method::<f64>(row).filter(|row| row.on_grid().is_some())?;
            steps_within(&row, process.schedule(), &Spacing::Trailing, evaluations)?
        }
    };
    Some(Pane { steps, ..pane.clone() })
}

/// How well a sampler comes back to data that was turned into noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundTrip {
    /// Distances between each point and where it came back to.
    pub mean: f64,
    pub most: f64,
    /// Evaluations of the model both ways.
    pub nfe: usize,
}

/// `points` turned into noise along the probability-flow ODE, by Heun's method in the steps of `pane`, and back by its sampler.
/// One that draws noise comes back elsewhere.
///
/// # Errors
/// As a run of the pane.
pub async fn inversion(stage: &Stage<'_>, pane: &Pane, points: &Cloud) -> Result<RoundTrip, RunError> {
    let grid = stage.process.grid(pane.steps)?;
    let counted = Counted::new(stage.model);
    let model: &dyn Denoiser<Cloud> = &counted;
    let noise = eval::invert(points.clone(), &grid, model, Inversion::Heun);
    let z = noise.map(|x| x.map(|v| v / grid.first().marginal_std()));
    let (back, evaluations) = stage.end(pane, &z).await?;
    let apart: Vec<f64> = back.0.iter().zip(&points.0).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).collect();
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    let most = apart.iter().copied().fold(0.0, f64::max);
    Ok(RoundTrip { mean, most, nfe: counted.evaluations() + evaluations })
}
