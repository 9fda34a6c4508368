//! The model of the recorded runs.

use super::batch::Batch;
use super::record::Point;
use crate::denoise::ideal::{Component, Mixture, Posterior};
use crate::denoise::{Denoiser, Estimate, Prediction};
use crate::interchange::Mapped;
use crate::math::{Latent, Level};
use std::cell::RefCell;

/// The recorded runs' model: exact, for four Gaussians of standard deviation 0.5, and evaluated through its prediction.
pub(super) struct Model {
    data: Mixture<2>,
    prediction: Prediction,
    /// What it is shown in place of some levels.
    shown: Vec<(Level, Level)>,
    /// The learned variances that were recorded, call by call.
    variances: Vec<Batch>,
    /// The levels of its calls so far.
    calls: RefCell<Vec<Level>>,
}

impl Model {
    pub fn new(mapped: &Mapped, variances: Vec<Batch>) -> Self {
        let means = [[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]];
        let components = means.map(|mean| Component { weight: 1.0, mean, std: 0.5 }).to_vec();
        let shown = mapped.shown.iter().flatten();
        Self {
            data: Mixture::new(components).expect("the constants above are a mixture"),
            prediction: mapped.prediction,
            shown: mapped.steps.iter().map(|(from, _)| *from).zip(shown.copied()).collect(),
            variances,
            calls: RefCell::default(),
        }
    }

    /// The levels that it was evaluated at.
    pub fn calls(&self) -> Vec<Level> {
        self.calls.borrow().clone()
    }

    /// The learned variance of its last call.
    pub fn last_variance(&self) -> Option<&Batch> {
        self.variances.get(self.calls.borrow().len().checked_sub(1)?)
    }

    /// `x_0` and the noise that the output at `x` states, in that order.
    fn states(&self, x: &Point, at: Level, seen: Level) -> (Point, Point) {
        let Posterior { x0, eps } = self.data.posterior(x, seen);
        let Level { alpha, sigma, .. } = seen;
        let output = match self.prediction {
            Prediction::Epsilon => eps,
            Prediction::Sample => x0,
            Prediction::Velocity => eps.mix(alpha, &x0, -sigma),
            Prediction::Flow => eps.mix(1.0, &x0, -1.0),
            Prediction::Score => eps.scale(-1.0 / sigma),
        };
        let x0 = self.prediction.to_x0(x, &output, at);
        let eps = match self.prediction {
            Prediction::Epsilon => output,
            Prediction::Velocity => {
                let norm = at.alpha * at.alpha + at.sigma * at.sigma;
                x.mix(at.sigma / norm, &output, at.alpha / norm)
            }
            Prediction::Flow => x0.mix(1.0, &output, 1.0),
            Prediction::Score => output.scale(-at.sigma),
            Prediction::Sample => x.mix(1.0 / at.sigma, &x0, -at.alpha / at.sigma),
        };
        (x0, eps)
    }
}

impl Denoiser<Batch> for &Model {
    fn denoise(&self, x: &Batch, at: Level) -> Batch {
        self.estimate(x, at).x0
    }

    fn estimate(&self, x: &Batch, at: Level) -> Estimate<Batch> {
        let seen = self.shown.iter().find(|(from, _)| *from == at).map_or(at, |(_, seen)| *seen);
        let call = self.calls.borrow().len();
        self.calls.borrow_mut().push(seen);
        let (x0, eps) = x.0.iter().map(|x| self.states(x, at, seen)).unzip();
        Estimate { x0: Batch(x0), eps: Batch(eps), variance: self.variances.get(call).cloned() }
    }
}
