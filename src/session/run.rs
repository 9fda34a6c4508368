//! The steps of a run.

use super::attention::Looks;
use super::denoiser::{self, Conditioned, Known, Surroundings, Timed};
use super::levels::Course;
use super::trajectory::{BatchStep, Trajectories, part, parts};
use super::view::View;
use super::{Attention, Frame, Given, Phase, SessionError, Timing};
use crate::backend::{self, ImageNoise};
use crate::denoise::{last_share, noised};
use crate::math::noise::{Between, BrownianPath};
use crate::math::{Grid, Latent, Level, Noise};
use crate::pipeline::{Conditioning, Pipeline};
use crate::samplers::Run;
use crate::settings::{Settings, Source};
use async_stream::try_stream;
use burn::tensor::Tensor;
use futures_util::Stream;
use std::ops::Range;
use std::time::Duration;
use web_time::Instant;

impl Pipeline {
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
            let mut course = Course::new(settings, self, &method)?;
            let parts = parts(&method.stepping, settings.images);
            let seeds = |part: &Range<usize>| {
                let Settings { seed, variation_seed, .. } = settings.from_image(part.start);
                [seed, variation_seed]
            };
            let noise_of = |part: &Range<usize>| {
                let [seed, other] = seeds(part);
                ImageNoise::new(seed, part.len()).towards(other, settings.variation)
            };
            let mut noises: Vec<_> = parts.iter().map(noise_of).collect();

            let [channels, height, width] = self.shape_of(settings);
            let batch = [settings.images, channels, height, width];
            let given = given.or_of(settings, self)?;
            let view = View::new(self, settings, &given)?;
            let zeros = |part: &Range<usize>| Tensor::zeros([part.len(), channels, height, width], &self.device);
            let z = noises.iter_mut().zip(&parts).map(|(noise, part)| noise.normal(&zeros(part)));
            let z = Tensor::cat(z.collect(), 0);
            let picture = given.picture.as_deref().map(|values| view.encoded(values).expand(batch));
            if let (Some(picture), 0.0) = (&picture, settings.strength) {
                let x = backend::read(picture.clone()).await?;
                let timing = Timing { total: began.elapsed(), ..Timing::default() };
                let levels = vec![Level::CLEAN; settings.images];
                let (shown, level) = (view.untouched(), Level::CLEAN);
                let (denoised, attention, tally) = (None, None, None);
                yield Frame { step: 0, steps: Some(0), done: 1.0, level, levels, x, denoised, shown, attention, tally, timing };
                return;
            }
            let start = match &picture {
                Some(picture) if settings.strength < 1.0 => {
                    let rest = last_share(&course.grid, settings.strength).ok_or(SessionError::NoStrength)?;
                    course = course.from(rest);
                    noised(picture, &z, course.grid.first())
                }
                _ => z.scale(course.start()),
            };
            let grid = &course.grid;
            let kept = given.kept.as_deref().map(|kept| backend::spread(&view.kept_places(kept), batch, &self.device));
            // A network that fills holes is told of the picture, and leaves the rest as it will.
            let fills = self.network.hole() > 0;
            let hole = if fills { view.hole(&given, &mut noises, &parts) } else { None };
            let known = picture.zip(kept).filter(|_| !fills);
            if matches!(self.conditioning, Conditioning::Text(_)) {
                given.begins(Phase::Text);
            }
            let conditioned = Conditioned::new(settings, self, &given)?;
            let looks = given.attention.then(|| Looks::new(parts.len(), [height, width]));
            let network = |(i, range): (usize, &Range<usize>)| {
                let of = |batch: &Tensor<4>| part(batch, range);
                let known = known.as_ref();
                let known = known.map(|(picture, kept)| Known { picture: of(picture), kept: of(kept), noise: of(&z) });
                let conditioned = conditioned.part(range.clone());
                let (hole, maps) = (hole.as_ref().map(of), looks.as_ref().map(|looks| looks.part(i)));
                let surroundings = Surroundings { helpers: given.helpers, known, hole, shown: course.shown(), maps };
                denoiser::denoiser(settings, self, &conditioned, surroundings).map(Timed::new)
            };
            let networks = parts.iter().enumerate().map(network).collect::<Result<Vec<_>, _>>()?;
            let spent = || networks.iter().map(Timed::spent).fold(Timing::default(), Timing::and);
            let grid_steps = method.on_grid().map(|_| grid.steps());
            let steps = grid_steps.map(|steps| steps + course.standing().len());
            let ends_noisy = course.ends_noisy();
            let mut clock = Clock::default();

            let reading = Instant::now();
            let x = backend::read(start.clone()).await?;
            let (level, levels) = (grid.first(), vec![grid.first(); settings.images]);
            let shown = view.show(&x, None, &levels, false).await?;
            let timing = clock.lap(began, reading, spent());
            let (denoised, attention, tally) = (None, None, None);
            yield Frame { step: 0, steps, done: 0.0, level, levels, x, denoised, shown, attention, tally, timing };

            let path_of = |part: &Range<usize>| {
                let [first, second] = seeds(part).map(|seed| BrownianPath::new(seed.into()));
                Between { first, second, share: settings.variation }
            };
            let mut paths: Vec<_> = parts.iter().map(path_of).collect();
            let mut noises: Vec<_> = noises.iter_mut().map(|noise| course.used(noise)).collect();
            let sources: Vec<&mut dyn Noise<Tensor<4>>> = match settings.noise {
                Source::Stream => noises.iter_mut().map(|noise| noise as &mut dyn Noise<_>).collect(),
                Source::Brownian => paths.iter_mut().map(|path| path as &mut dyn Noise<_>).collect(),
            };
            let tuning = course.tuning().cloned().unwrap_or_else(|| settings.tuning(&method));
            let runs = parts.iter().zip(&networks).zip(sources).map(|((range, network), noise)| {
                let run = Run::new(part(&start, range), grid, &self.schedule, network, noise).with_tuning(tuning.clone());
                Run { orders: course.orders(), ..run }
            });
            let frame = |step, levels: Vec<Level>, (x, denoised), (shown, attention), tally, timing| {
                let level = levels.iter().copied().max_by(|a, b| a.nsr().total_cmp(&b.nsr())).unwrap_or(grid.first());
                let done = done(steps, step, level, grid);
                Frame { step, steps, done, level, levels, x, denoised: Some(denoised), shown, attention, tally, timing }
            };
            let mut trajectories = Trajectories::new(&method.stepping, parts.clone(), runs);
            let mut rest = None;
            for step in 1.. {
                began = Instant::now();
                let Some(BatchStep { x, denoised, levels }) = trajectories.next().await? else { break };
                let last = Some(step) == steps || levels.iter().all(|level| *level == grid.last());
                // What comes after the last step of the grid needs the noise that the trajectories hold.
                if grid_steps == Some(step) && steps != Some(step) || ends_noisy && steps == Some(step) {
                    rest = Some((step, BatchStep { x, denoised, levels }));
                    break;
                }
                let reading = Instant::now();
                let (x, denoised) = values(x, denoised, step).await?;
                if last && self.is_latent() {
                    given.begins(Phase::Decoding);
                }
                let shown = view.show(&x, Some(&denoised), &levels, last).await?;
                let attention = seen(looks.as_ref()).await?;
                let timing = clock.lap(began, reading, spent());
                yield frame(step, levels, (x, denoised), (shown, attention), trajectories.tally(), timing);
            }
            drop(trajectories);
            if let (Some((mut step, BatchStep { mut x, denoised, levels })), [network]) = (rest, &networks[..]) {
                let noise: &mut dyn Noise<Tensor<4>> = match settings.noise {
                    Source::Stream => &mut noises[0],
                    Source::Brownian => &mut paths[0],
                };
                for standing in course.standing() {
                    let reading = Instant::now();
                    let (at, of) = values(x.clone(), denoised.clone(), step).await?;
                    let shown = view.show(&at, Some(&of), &levels, false).await?;
                    let attention = seen(looks.as_ref()).await?;
                    let timing = clock.lap(began, reading, spent());
                    yield frame(step, levels.clone(), (at, of), (shown, attention), None, timing);
                    began = Instant::now();
                    x = course.stand(x, network, *standing);
                    step += 1;
                }
                let x = course.end(x, network, noise);
                let reading = Instant::now();
                let (x, denoised) = values(x, denoised, step).await?;
                if self.is_latent() {
                    given.begins(Phase::Decoding);
                }
                let shown = view.show(&x, Some(&denoised), &levels, true).await?;
                let attention = seen(looks.as_ref()).await?;
                let timing = clock.lap(began, reading, spent());
                yield frame(step, levels, (x, denoised), (shown, attention), None, timing);
            }
        }
    }
}

/// Where the step looked, if that is recorded.
async fn seen(looks: Option<&Looks>) -> Result<Option<Attention>, SessionError> {
    match looks {
        Some(looks) => looks.read().await,
        None => Ok(None),
    }
}

/// The values of a point and of the estimate beside it.
async fn values(x: Tensor<4>, denoised: Tensor<4>, step: usize) -> Result<(Vec<f32>, Vec<f32>), SessionError> {
    // One read-back for both: on a GPU each one waits for the queue.
    let mut x = backend::read(Tensor::cat(vec![x, denoised], 0)).await?;
    let denoised = x.split_off(x.len() / 2);
    let finite = x.iter().chain(&denoised).all(|v| v.is_finite());
    if finite { Ok((x, denoised)) } else { Err(SessionError::NotFinite { step }) }
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
