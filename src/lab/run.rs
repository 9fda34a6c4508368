//! The panes of the laboratory: samplers that step clouds, a step at a time.

use super::settings::{Guide, Pane};
use super::{Asked, Cloud, CloudNoise, Distribution, Process, Settings};
use crate::denoise::{Branches, Classifier, ClassifierGuided, Denoiser, Guidance, Guided};
use crate::math::{GridError, Latent, Level, Noise, NoiseSchedule};
use crate::samplers::{Adaptive, Counted, GaveUp, Run, Step, Stepping, method};
use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use thiserror::Error;

/// A step of a pane.
#[derive(Clone, Debug)]
pub struct Frame {
    /// 0 is the starting noise, then 1, 2, ..
    pub step: usize,
    /// Number of the last step; `None` where the method chooses its steps as it goes.
    pub steps: Option<usize>,
    pub level: Level,
    /// Of the model, so far.
    pub evaluations: usize,
    pub x: Cloud,
    /// The estimate of `x_0` that the step was built on; the starting noise has none.
    pub denoised: Option<Cloud>,
}

/// Why a pane stopped.
#[derive(Debug, Error)]
pub enum RunError {
    #[error("{0}.")]
    Grid(#[from] GridError),
    #[error("The sampler gave up: {0}.")]
    GaveUp(#[from] GaveUp),
    #[error("The points became NaN or infinite at step {step}; take more steps, another sampler or less guidance.")]
    NotFinite { step: usize },
}

/// What all panes have in common.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The standard deviation of the narrowest part of what is sampled.
    pub narrowest: f64,
    pub process: &'a Process,
    /// Guided, where a class is asked for.
    pub model: &'a dyn Denoiser<Cloud>,
    /// Of the noise that the steps add; panes of one seed meet the same.
    pub seed: u32,
    /// How much of its noise the reverse SDE draws.
    pub eta: f64,
}

/// The steps of a trajectory that can fail.
type Trajectory<'a> = Box<dyn Iterator<Item = Result<Step<Cloud>, GaveUp>> + 'a>;

impl Stage<'_> {
    /// The steps of a pane from the noise `z`, standard normal, the start first. Nothing is computed ahead of the frame that is
    /// awaited, and dropping the stream cancels the run.
    ///
    /// # Errors
    /// A grid that cannot be built; an adaptive method that gave up; points that became NaN or infinite.
    pub fn frames<'a>(self, pane: &'a Pane, z: &'a Cloud) -> impl Stream<Item = Result<Frame, RunError>> + 'a
    where
        Self: 'a,
    {
        try_stream! {
            let row = pane.row().and_then(method::<Cloud>);
            // A method that chooses its steps reads the ends of the grid.
            let adaptive = row.as_ref().is_some_and(|row| row.on_grid().is_none());
            let grid = self.process.grid(if adaptive { *Settings::STEPS.end() } else { pane.steps })?;
            let start = z.scale(grid.first().marginal_std());
            let (model, mut noise) = (Counted::new(self.model), CloudNoise::new(self.seed));
            // The stream goes on where the starting noise ended.
            noise.normal(z);
            let steps = (!adaptive).then_some(pane.steps);
            yield Frame { step: 0, steps, level: grid.first(), evaluations: 0, x: start.clone(), denoised: None };
            let trajectory: Trajectory<'_> = match row {
                None => Box::new(self.langevin(pane.steps, start, &model, &mut noise).map(Ok)),
                Some(row) => {
                    let run = Run::new(start, &grid, self.process.schedule(), &model, &mut noise).with_tuning(pane.tuning(self.eta));
                    match row.stepping {
                        Stepping::Grid(sampler) => Box::new(sampler(run).map(Ok)),
                        Stepping::Adaptive(sampler) => Box::new(judged(sampler(run))),
                    }
                }
            };
            for (i, step) in trajectory.enumerate() {
                let Step { x, denoised, to, .. } = step?;
                if !x.0.as_flattened().iter().all(|v| v.is_finite()) {
                    Err(RunError::NotFinite { step: i + 1 })?;
                }
                let evaluations = model.evaluations();
                yield Frame { step: i + 1, steps, level: to, evaluations, x, denoised: Some(denoised) };
            }
        }
    }

    /// Langevin dynamics at one noise level (Song & Ermon 2019, arXiv 1907.05600, equation 4), at temperature 1:
    /// `x + e/2 score + sqrt(e) z`. The level hides half of the narrowest part of the distribution, so that a learned score can be
    /// told from noise there, and `e` is half of that part's variance at this level: the chain settles on parts that
    /// are a seventh wider in variance at most.
    fn langevin<'a>(
        &self,
        steps: usize,
        start: Cloud,
        model: &'a dyn Denoiser<Cloud>,
        noise: &'a mut dyn Noise<Cloud>,
    ) -> impl Iterator<Item = Step<Cloud>> + 'a {
        let std = self.narrowest;
        let at = self.process.schedule().level_at(0.5 * std);
        let e = 0.5 * (at.alpha * std).hypot(at.sigma).powi(2);
        let mut x = start;
        (0..steps).map(move |_| {
            let denoised = model.denoise(&x, at);
            let score = denoised.mix(at.alpha, &x, -1.0).scale(at.sigma.powi(-2));
            x = x.mix(1.0, &score, 0.5 * e).mix(1.0, &noise.normal(&x), e.sqrt());
            Step { x: x.clone(), denoised, from: at, to: at }
        })
    }

    /// Where a pane ends, and the evaluations of the model that it took.
    ///
    /// # Errors
    /// As [`frames`](Self::frames).
    pub async fn end(self, pane: &Pane, z: &Cloud) -> Result<(Cloud, usize), RunError> {
        let mut end = (z.clone(), 0);
        let mut frames = pin!(self.frames(pane, z));
        while let Some(frame) = frames.next().await {
            let Frame { x, evaluations, .. } = frame?;
            end = (x, evaluations);
        }
        Ok(end)
    }
}

/// The steps of an adaptive method, each judged by the error of its attempts.
fn judged<'a>(mut run: Box<dyn Adaptive<Cloud> + 'a>) -> impl Iterator<Item = Result<Step<Cloud>, GaveUp>> + 'a {
    std::iter::from_fn(move || {
        while let Some(error) = run.attempt() {
            let error = error.rms().0.first().map_or(f64::NAN, |rms| rms[0]);
            if let Some(step) = run.judge(error).transpose() {
                return Some(step);
            }
        }
        None
    })
}

/// The model of the settings: `plain` without a class; with one, `conditioned` on it with classifier-free guidance, or `plain`
/// guided by a classifier: the `trained` one if there is one, or else the exact one of `distribution`.
pub fn guided<'a, B: Branches<Cloud> + 'a>(
    settings: &Settings,
    distribution: &'a Distribution,
    plain: impl Denoiser<Cloud> + 'a,
    conditioned: impl FnOnce(Asked<'a>) -> B,
    trained: Option<impl Classifier<Cloud> + 'a>,
) -> Box<dyn Denoiser<Cloud> + 'a> {
    let Some(exact) = settings.class.and_then(|class| Asked::new(distribution, class)) else { return Box::new(plain) };
    let scale = settings.guidance;
    match (settings.guide, trained) {
        (Guide::Free, _) => Box::new(Guided { model: conditioned(exact), guidance: Guidance::plain(scale) }),
        (Guide::LearnedClassifier, Some(classifier)) => Box::new(ClassifierGuided { model: plain, classifier, scale }),
        _ => Box::new(ClassifierGuided { model: plain, classifier: exact, scale }),
    }
}

/// The score of each point under `model`: `(alpha x_0 - x) / sigma^2`, by the noise that it estimates.
pub fn scores(model: &dyn Denoiser<Cloud>, x: &Cloud, at: Level) -> Cloud {
    model.estimate(x, at).eps.scale(-1.0 / at.sigma)
}
