//! What multistep and singlestep methods remember.

use super::steps::slide;
use crate::math::{Latent, Level};

/// Which of the model's two estimates a method takes for a polynomial over a step.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// That of the data, `x_0`, as DPM-Solver++ does.
    Data,
    /// That of the noise, `eps`, as DPM-Solver does.
    Noise,
    /// That of the velocity `v` of a process at unit variance (Salimans & Ho 2022, arXiv 2202.00512, appendix D).
    Velocity,
}

impl Form {
    /// The estimate at `at`, where the model said `x0` of `x`.
    pub fn estimate<X: Latent>(self, x: &X, x0: &X, at: Level) -> X {
        match self {
            Self::Data => x0.clone(),
            Self::Noise => x.mix(1.0 / at.sigma, x0, -at.alpha / at.sigma),
            Self::Velocity => {
                let norm = at.marginal_std();
                x.mix(at.alpha / (norm * at.sigma), x0, -norm / at.sigma)
            }
        }
    }

    /// Moves `x` as if the estimate were `held` all the way. The noise form needs `from.alpha > 0`.
    pub fn advance<X: Latent>(self, x: &X, held: &X, (from, to): (Level, Level)) -> X {
        match self {
            Self::Data => slide(x, held, from, to),
            Self::Noise => {
                let grow = to.alpha / from.alpha;
                x.mix(grow, held, to.sigma - grow * from.sigma)
            }
            Self::Velocity => {
                let norm = from.marginal_std();
                let (along, across) =
                    (to.alpha * from.alpha + to.sigma * from.sigma, to.sigma * from.alpha - to.alpha * from.sigma);
                x.mix(along / (norm * norm), held, across / norm)
            }
        }
    }

    /// The rate `z` of the weight with which a step's exact solution takes the mean of the estimate.
    pub fn rate(self, (from, to): (Level, Level)) -> f64 {
        let h = to.lambda() - from.lambda();
        match self {
            Self::Data => -h,
            Self::Noise => h,
            // A turn of `x` towards the velocity has no exponential weight.
            Self::Velocity => 0.0,
        }
    }
}

/// The estimates of the last evaluations, newest first.
pub(super) struct History<X> {
    pub form: Form,
    levels: Vec<Level>,
    estimates: Vec<X>,
}

impl<X: Latent> History<X> {
    /// No method looks back further.
    const MOST: usize = 5;

    pub fn new(form: Form) -> Self {
        Self { form, levels: Vec::new(), estimates: Vec::new() }
    }

    /// Remembers that the model said `x0` of `x` at `at`.
    pub fn learn(&mut self, x: &X, x0: &X, at: Level) {
        self.levels.insert(0, at);
        self.estimates.insert(0, self.form.estimate(x, x0, at));
        self.levels.truncate(Self::MOST);
        self.estimates.truncate(Self::MOST);
    }

    /// The levels of the newest evaluations, `count` of them or as many as there were, newest first.
    pub fn levels(&self, count: usize) -> &[Level] {
        &self.levels[..count.min(self.levels.len())]
    }

    /// Moves `x` as if the estimate were the weighted mean of those remembered all the way; `weights` are of the newest,
    /// and sum to 1. With one weight or none at an end of the process it slides to `x0`, the newest estimate of the data:
    /// the noise tells nothing of the data in pure noise, and at the clean end all that is left is the data.
    pub fn step(&self, x: &X, x0: &X, weights: &[f64], (from, to): (Level, Level)) -> X {
        if weights.len() <= 1 && (from.alpha == 0.0 || to.sigma == 0.0) {
            return slide(x, x0, from, to);
        }
        self.form.advance(x, &self.mean(weights), (from, to))
    }

    /// The weighted mean of the newest estimates; the newest alone where there are no weights.
    pub fn mean(&self, weights: &[f64]) -> X {
        let mut parts = weights.iter().zip(&self.estimates).map(|(w, estimate)| (*w, estimate));
        match (parts.next(), parts.next()) {
            (Some((w, newest)), Some((v, older))) => {
                parts.fold(newest.mix(w, older, v), |sum, (w, estimate)| sum.mix(1.0, estimate, w))
            }
            _ => self.estimates[0].clone(),
        }
    }
}
