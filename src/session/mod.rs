//! A run: model and settings in, frames out.

mod denoiser;
mod error;
mod frame;
mod script;
mod start;
mod trajectory;

pub use denoiser::Helpers;
pub use error::SessionError;
pub use frame::{Frame, Images, Timing};
pub use script::{ScriptError, script};

use crate::backend::{self, ImageNoise};
use crate::denoise::{last_share, noised};
use crate::math::noise::BrownianPath;
use crate::math::{Grid, Latent, Level, Noise};
use crate::models::{LoadError, Pretrained};
use crate::samplers::Run;
use crate::settings::{Defaults, Facts, Settings, Source};
use async_stream::try_stream;
use burn::tensor::Tensor;
use denoiser::{Known, Timed};
use futures_util::{Stream, StreamExt};
use std::ops::Range;
use std::pin::pin;
use std::time::Duration;
use trajectory::{BatchStep, Trajectories, part, parts};
use web_time::Instant;

/// What a run is given besides its settings.
#[derive(Clone, Default)]
pub struct Given<'a> {
    /// A picture to start from, `[channels, height, width]`, in place of the one of the settings.
    pub picture: Option<Vec<f32>>,
    /// 1 where the picture is to stay and 0 where it is to be made anew, `[height, width]`.
    pub kept: Option<Vec<f32>>,
    /// The class of each picture, where the one word of the settings does not do.
    pub classes: Option<Vec<usize>>,
    pub helpers: Helpers<'a>,
}

impl Pretrained {
    /// What the rules of fit must know of this model.
    pub fn facts(&self) -> Facts {
        Facts { classes: self.classes(), null_class: self.card.null_class }
    }

    /// The settings that the model starts with: its card's, made to fit it.
    ///
    /// # Errors
    /// Its card names a setting or a value that there is not.
    pub fn preset(&self) -> Result<Settings, LoadError> {
        let defaults = serde_json::to_value(&self.card.defaults).and_then(serde_json::from_value::<Defaults>);
        let defaults = defaults.map_err(|e| LoadError::Card(format!("in defaults, {e}")))?;
        let preset = Settings::preset(&defaults);
        let mut preset = preset.map_err(|problem| LoadError::Card(format!("in defaults, {problem}")))?;
        // A default that stands for every model is no mistake of this one.
        preset.fit_classes(self.facts());
        Ok(preset)
    }

    /// The pictures of these settings.
    ///
    /// # Errors
    /// As [`frames`](Self::frames).
    pub async fn sample(&self, settings: &Settings) -> Result<Images, SessionError> {
        let mut frames = pin!(self.frames(settings, Given::default()));
        let mut bytes = Vec::new();
        while let Some(frame) = frames.next().await {
            bytes = frame?.pixels(self.shape(), self.card.range).0;
        }
        Ok(Images { bytes, shape: self.shape() })
    }

    /// The steps of a run, the start first. Nothing is computed ahead of the frame that is awaited, and dropping the stream
    /// cancels the run.
    ///
    /// # Errors
    /// Before the first frame: settings that do not fit the model, inputs of another size, a grid that cannot be built. At
    /// any step: a device that failed, a sample that became NaN or infinite.
    pub fn frames<'a>(
        &'a self,
        settings: &'a Settings,
        given: Given<'a>,
    ) -> impl Stream<Item = Result<Frame, SessionError>> + 'a {
        try_stream! {
            let mut began = Instant::now();
            let method = settings.method().map_err(SessionError::Sampler)?;
            // A method that chooses its steps reads the ends of the grid; the finest one ends where the model was trained last.
            let steps = if method.on_grid().is_some() { settings.steps } else { *Settings::STEPS.end() };
            let mut grid = settings.schedule.grid(&self.schedule, steps)?;
            let parts = parts(&method.stepping, settings.images);
            let seed = |part: &Range<usize>| settings.seed.wrapping_add(part.start as u32);
            let mut noises: Vec<_> = parts.iter().map(|part| ImageNoise::new(seed(part), part.len())).collect();

            let [channels, height, width] = self.shape();
            let batch = [settings.images, channels, height, width];
            let given = given.or_of(settings, self)?;
            has_values(given.picture.as_deref(), channels * height * width)?;
            has_values(given.kept.as_deref(), height * width)?;
            let zeros = |part: &Range<usize>| Tensor::zeros([part.len(), channels, height, width], &self.device);
            let z = noises.iter_mut().zip(&parts).map(|(noise, part)| noise.normal(&zeros(part)));
            let z = Tensor::cat(z.collect(), 0);
            let picture = given.picture.as_deref().map(|values| backend::spread(values, batch, &self.device));
            if let (Some(picture), 0.0) = (&picture, settings.strength) {
                let x = backend::read(picture.clone()).await?;
                let timing = Timing { total: began.elapsed(), ..Timing::default() };
                let levels = vec![Level::CLEAN; settings.images];
                yield Frame { step: 0, steps: Some(0), done: 1.0, level: Level::CLEAN, levels, x, denoised: None, tally: None, timing };
                return;
            }
            let start = match &picture {
                Some(picture) if settings.strength < 1.0 => {
                    grid = last_share(&grid, settings.strength).ok_or(SessionError::NoStrength)?;
                    noised(picture, &z, grid.first())
                }
                _ => z.scale(grid.first().marginal_std()),
            };
            let kept = given.kept.as_deref().map(|values| backend::spread(values, batch, &self.device));
            let known = picture.zip(kept);
            let labels = denoiser::labels(settings, self, given.classes);
            if labels.len() != settings.images {
                Err(SessionError::Classes { got: labels.len(), expected: settings.images })?;
            }
            let network = |range: &Range<usize>| {
                let of = |batch: &Tensor<4>| part(batch, range);
                let known = known.as_ref();
                let known = known.map(|(picture, kept)| Known { picture: of(picture), kept: of(kept), noise: of(&z) });
                denoiser::denoiser(settings, self, &labels[range.clone()], given.helpers, known).map(Timed::new)
            };
            let networks = parts.iter().map(network).collect::<Result<Vec<_>, _>>()?;
            let spent = || networks.iter().map(Timed::spent).fold(Timing::default(), Timing::and);
            let steps = method.on_grid().map(|_| grid.steps());
            let mut clock = Clock::default();

            let reading = Instant::now();
            let x = backend::read(start.clone()).await?;
            let timing = clock.lap(began, reading, spent());
            let (level, levels) = (grid.first(), vec![grid.first(); settings.images]);
            yield Frame { step: 0, steps, done: 0.0, level, levels, x, denoised: None, tally: None, timing };

            let mut paths: Vec<_> = parts.iter().map(|part| BrownianPath::new(seed(part).into())).collect();
            let noises: Vec<&mut dyn Noise<Tensor<4>>> = match settings.noise {
                Source::Stream => noises.iter_mut().map(|noise| noise as &mut dyn Noise<_>).collect(),
                Source::Brownian => paths.iter_mut().map(|path| path as &mut dyn Noise<_>).collect(),
            };
            let tuning = settings.tuning(&method);
            let runs = parts.iter().zip(&networks).zip(noises).map(|((range, network), noise)| {
                Run::new(part(&start, range), &grid, &self.schedule, network, noise).with_tuning(tuning.clone())
            });
            let mut trajectories = Trajectories::new(&method.stepping, parts.clone(), runs);
            for step in 1.. {
                began = Instant::now();
                let Some(BatchStep { x, denoised, levels }) = trajectories.next().await? else { break };
                let reading = Instant::now();
                // One read-back for both: on a GPU each one waits for the queue.
                let mut x = backend::read(Tensor::cat(vec![x, denoised], 0)).await?;
                let denoised = x.split_off(x.len() / 2);
                let timing = clock.lap(began, reading, spent());
                if !x.iter().chain(&denoised).all(|v| v.is_finite()) {
                    Err(SessionError::NotFinite { step })?;
                }
                let level = levels.iter().copied().max_by(|a, b| a.nsr().total_cmp(&b.nsr())).unwrap_or(grid.first());
                let (done, tally) = (done(steps, step, level, &grid), trajectories.tally());
                yield Frame { step, steps, done, level, levels, x, denoised: Some(denoised), tally, timing };
            }
        }
    }
}

/// The time of a run's frames.
#[derive(Default)]
struct Clock {
    total: Duration,
    read: Duration,
}

impl Clock {
    /// Adds a frame that began and was read since these moments.
    fn lap(&mut self, began: Instant, reading: Instant, network: Timing) -> Timing {
        self.total += began.elapsed();
        self.read += reading.elapsed();
        Timing { total: self.total, read: self.read, ..network }
    }
}

/// Whether a picture or a mask has as many values as it must.
fn has_values(values: Option<&[f32]>, expected: usize) -> Result<(), SessionError> {
    match values.map(<[f32]>::len).filter(|got| *got != expected) {
        Some(got) => Err(SessionError::Picture { got, expected }),
        None => Ok(()),
    }
}

/// How much of a run is done: its share of the steps or, where their number is not known, of the way in log-SNR.
fn done(steps: Option<usize>, step: usize, at: Level, grid: &Grid) -> f64 {
    if let Some(steps) = steps {
        return step as f64 / steps as f64;
    }
    if at == grid.last() {
        return 1.0;
    }
    // A flow begins, and a run ends, at an infinite one.
    let lambda = |level: Level| level.lambda().clamp(-LARGEST_LAMBDA, LARGEST_LAMBDA);
    let (first, last) = (lambda(grid.first()), lambda(grid.last()));
    ((lambda(at) - first) / (last - first)).clamp(0.0, 1.0)
}

/// Half the log-SNR beyond which a picture is as good as clean, or as good as noise.
const LARGEST_LAMBDA: f64 = 7.0;
