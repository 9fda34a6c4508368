use crate::eval::{Control, Differentiable, Likelihood, OdeError, Probes};
use crate::lab::{Distribution, Process};
use crate::math::Level;

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
