//! The steps of a run, leg by leg: a branch goes on from a step of another run.

use super::attention::Looks;
use super::denoiser::{self, Conditioned, Known, Surroundings, Timed};
use super::legs::{At, Leg};
use super::levels::Course;
use super::pending::{Pending, ReadBack};
use super::trajectory::{BatchStep, Part, Trajectories, part, parts};
use super::view::View;
use super::{Frame, Given, Phase, SessionError, Timing};
use crate::backend::{self, ImageNoise};
use crate::denoise::{last_share, noised};
use crate::interchange::Used;
use crate::math::noise::{Between, BrownianPath};
use crate::math::{Latent, Level, Noise};
use crate::pipeline::{Conditioning, Pipeline};
use crate::samplers::{Run, Step};
use crate::settings::{Settings, Source};
use async_stream::try_stream;
use burn::tensor::Tensor;
use futures_util::Stream;
use std::ops::Range;
use std::time::Duration;
use web_time::Instant;

impl Pipeline {
    /// The steps of a run, the start first; those of a branch begin at the start of the run that it goes on from. On the processor
    /// nothing is computed ahead of the frame that is awaited; on a GPU the next step is submitted before a
    /// frame is read back, so that it need not wait for the frame to be looked at. Dropping the stream cancels the run.
    ///
    /// # Errors
    /// Before the first frame: settings that do not fit the model, inputs of another size, a grid that cannot be built, a branch
    /// from a step that there is not. At any step: a device that failed, a sample that became NaN or infinite.
    pub fn frames<'a>(
        &'a self,
        settings: &'a Settings,
        given: Given<'a>,
    ) -> impl Stream<Item = Result<Frame, SessionError>> + 'a {
        try_stream! {
            let mut clock = Clock::default();
            clock.begin();
            let legs = Leg::all(settings)?;
            let mut course = Course::new(&legs[0].settings, self, &legs[0].method)?;
            let mut noise = legs[0].noise();

            let [channels, height, width] = self.shape_of(settings);
            let batch = [settings.images, channels, height, width];
            let given = given.or_of(settings, self)?;
            let view = View::new(self, settings, &given)?;
            let z = noise.normal(&Tensor::zeros(batch, &self.device));
            let picture = given.picture.as_deref().map(|values| view.encoded(values).expand(batch));
            if let (Some(picture), 0.0) = (&picture, settings.strength) {
                if let Some(step) = legs[0].end {
                    Err(SessionError::Ended { step, steps: 0 })?;
                }
                let x = backend::read(picture.clone()).await?;
                let timing = clock.lap(Instant::now(), Timing::default());
                let levels = vec![Level::CLEAN; settings.images];
                let (shown, level) = (view.untouched(), Level::CLEAN);
                view.present_read(shown.as_ref().map_or(&x, |shown| &shown.x), None).await?;
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
                _ => z.clone().scale(course.start()),
            };
            let kept = given.kept.as_deref().map(|kept| backend::spread(&view.kept_places(kept), batch, &self.device));
            // A network that fills holes is told of the picture, and leaves the rest as it will.
            let fills = self.network.hole() > 0;
            let hole = if fills { view.hole(&given, &mut noise) } else { None };
            let known = picture.zip(kept).filter(|_| !fills);
            let steps = Leg::total(&legs, self, &course)?;
            let first = course.grid.first();
            let levels = vec![first; settings.images];
            let mut at = At { step: 0, x: start.clone(), denoised: start, levels, noise, draws: vec![0; settings.images] };
            let mut courses = vec![Some(course)];
            let mut frames = Frames { pipeline: self, view: &view, given: &given, steps, first, clock };
            let mut spent_before = Timing::default();
            for (i, leg) in legs.iter().enumerate() {
                if i > 0 {
                    courses = leg.courses(self, &at)?;
                    at = leg.found(&legs[i - 1], at);
                }
                let At { step: begins, x: start, denoised: estimate, levels: standing, noise, draws } = at;
                let parts = match courses.len() {
                    1 => parts(&leg.method.stepping, settings.images),
                    _ => (0..settings.images).map(|i| i..i + 1).collect(),
                };
                // One for all, or each its own.
                let course_of = |p: usize| courses.get(p).unwrap_or(&courses[0]).as_ref();
                let sole = courses[0].as_ref().filter(|_| courses.len() == 1);
                let end_of = |image: usize| course_of(image).map_or(standing[image], |course| course.grid.last());
                let ends: Vec<_> = (0..settings.images).map(end_of).collect();
                if matches!(self.conditioning, Conditioning::Text(_)) {
                    given.begins(Phase::Text);
                }
                let conditioned = Conditioned::new(&leg.settings, self, &given)?;
                // Another prompt has other tokens.
                let same_words = leg.settings.prompt_of(&leg.settings.prompt) == settings.prompt_of(&settings.prompt);
                let looks = (given.attention && same_words).then(|| Looks::new(parts.len(), [height, width]));
                let network = |(p, range): (usize, &Range<usize>)| {
                    let of = |batch: &Tensor<4>| part(batch, range);
                    let known = known.as_ref();
                    let known = known.map(|(picture, kept)| Known { picture: of(picture), kept: of(kept), noise: of(&z) });
                    let conditioned = conditioned.part(range.clone());
                    let (hole, maps) = (hole.as_ref().map(of), looks.as_ref().map(|looks| looks.part(p)));
                    let shown = course_of(p).map_or_else(Vec::new, Course::shown);
                    let surroundings = Surroundings { helpers: given.helpers, known, hole, shown, maps };
                    denoiser::denoiser(&leg.settings, self, &conditioned, surroundings).map(Timed::new)
                };
                let networks = parts.iter().enumerate().map(network).collect::<Result<Vec<_>, _>>()?;
                let spent = || networks.iter().map(Timed::spent).fold(spent_before, Timing::and);
                let grid_steps = sole.filter(|_| leg.method.on_grid().is_some()).map(|course| course.grid.steps());
                let ends_noisy = sole.is_some_and(Course::ends_noisy);

                let mut paths: Vec<_> = parts.iter().map(|part| leg.path(part, draws[part.start])).collect();
                let mut noises = noise.split(&parts);
                let used = |(p, noise)| Used::new(noise, &course_of(p).map(Course::draws).unwrap_or_default());
                let mut streams: Vec<_> = noises.iter_mut().enumerate().map(used).collect();
                let sources: Vec<&mut dyn Noise<Tensor<4>>> = match leg.settings.noise {
                    Source::Stream => streams.iter_mut().map(|noise| noise as &mut dyn Noise<_>).collect(),
                    Source::Brownian => paths.iter_mut().map(|path| path as &mut dyn Noise<_>).collect(),
                };
                let runs = parts.iter().enumerate().zip(&networks).zip(sources).map(|(((p, range), network), noise)| {
                    let (x, denoised) = (part(&start, range), part(&estimate, range));
                    let Some(course) = course_of(p) else {
                        let (from, to) = (standing[range.start], standing[range.start]);
                        return Part::Ended(Step { x, denoised, from, to });
                    };
                    let tuning = course.tuning().cloned().unwrap_or_else(|| leg.settings.tuning(&leg.method));
                    let run = Run::new(x, &course.grid, &self.schedule, network, noise).with_tuning(tuning);
                    Part::Run(Run { orders: course.orders(), ..run })
                });
                let mut trajectories = Trajectories::new(&leg.method.stepping, parts.clone(), runs);
                let (mut step, mut rest, mut next) = (begins, None, None);
                // A GPU has the next step before this one is waited for; an adaptive step waits for its own error.
                let ahead = backend::computes_beside(&self.device) && leg.method.on_grid().is_some();
                let mut pending = if i == 0 { Some(Pending::start(&view, &start, &standing).await) } else { None };
                while leg.end != Some(step) {
                    if let Some(pending) = pending.take_if(|_| !ahead) {
                        yield frames.frame(pending, ends[0]).await?;
                    }
                    frames.clock.begin();
                    let Some(at) = trajectories.next().await? else { break };
                    step += 1;
                    let last = leg.end.is_none() && (Some(step) == steps || at.levels == ends);
                    // What comes after the last step of the grid needs the noise that the trajectories hold.
                    let off_grid = grid_steps == Some(step - begins) && steps != Some(step);
                    if leg.end.is_none() && (off_grid || ends_noisy && steps == Some(step)) {
                        rest = Some(at);
                        break;
                    }
                    let this = Pending::of(&view, looks.as_ref(), (step, last), &at).await;
                    let this = this.after(spent(), trajectories.tally());
                    if leg.end == Some(step) {
                        next = Some(at);
                    }
                    if let Some(before) = pending.replace(this) {
                        yield frames.frame(before, ends[0]).await?;
                    }
                }
                if let Some(pending) = pending {
                    yield frames.frame(pending, ends[0]).await?;
                }
                drop(trajectories);
                if let (Some(mut at), [network], Some(course)) = (rest, &networks[..], sole) {
                    let noise: &mut dyn Noise<Tensor<4>> = match leg.settings.noise {
                        Source::Stream => &mut streams[0],
                        Source::Brownian => &mut paths[0],
                    };
                    for standing in course.standing() {
                        let this = Pending::of(&view, looks.as_ref(), (step, false), &at).await;
                        yield frames.frame(this.after(spent(), None), ends[0]).await?;
                        frames.clock.begin();
                        at.x = course.stand(at.x, network, *standing);
                        step += 1;
                    }
                    at.x = course.end(at.x, network, noise);
                    let this = Pending::of(&view, looks.as_ref(), (step, true), &at).await;
                    yield frames.frame(this.after(spent(), None), ends[0]).await?;
                }
                if let Some(end) = leg.end.filter(|end| *end != step) {
                    Err(SessionError::Ended { step: end, steps: step })?;
                }
                drop(streams);
                spent_before = spent();
                let BatchStep { x, denoised, levels } = next.unwrap_or(BatchStep { x: start, denoised: estimate, levels: standing });
                let draws = paths.iter().zip(&parts).flat_map(|(path, part)| vec![drawn(path); part.len()]).collect();
                at = At { step, x, denoised, levels, noise: ImageNoise::joined(noises), draws };
            }
        }
    }
}

/// The draws of a path's sources that are no part of it.
fn drawn(path: &Between<BrownianPath<Tensor<4>>>) -> u64 {
    path.first.draws().max(path.second.draws())
}

/// Makes frames of steps as they are read back.
struct Frames<'a> {
    pipeline: &'a Pipeline,
    view: &'a View<'a>,
    given: &'a Given<'a>,
    steps: Option<usize>,
    /// Where the run starts.
    first: Level,
    clock: Clock,
}

impl Frames<'_> {
    /// Waits for a step of a run to the level `end`.
    ///
    /// # Errors
    /// The device failed; a sample became NaN or infinite.
    async fn frame(&mut self, pending: Pending, end: Level) -> Result<Frame, SessionError> {
        let Self { steps, first, given, .. } = *self;
        let (reading, step, tally, network) = (Instant::now(), pending.step, pending.tally, pending.network);
        let levels = pending.levels.clone();
        let decodes = || {
            if self.pipeline.is_latent() {
                given.begins(Phase::Decoding);
            }
        };
        let ReadBack { x, denoised, shown, attention } = pending.wait(self.view, decodes).await?;
        let timing = self.clock.lap(reading, network);
        let level = levels.iter().copied().max_by(|a, b| a.nsr().total_cmp(&b.nsr())).unwrap_or(first);
        let done = done(steps, step, level, [first, end]);
        Ok(Frame { step, steps, done, level, levels, x, denoised, shown, attention, tally, timing })
    }
}

/// The time of a run's frames.
#[derive(Default)]
struct Clock {
    /// When the stream was last resumed, while a frame of it is awaited.
    began: Option<Instant>,
    total: Duration,
    read: Duration,
}

impl Clock {
    /// Begins to count, unless it does already.
    fn begin(&mut self) {
        self.began.get_or_insert_with(Instant::now);
    }

    /// Counts a frame that was waited for since `reading`.
    fn lap(&mut self, reading: Instant, network: Timing) -> Timing {
        self.total += self.began.take().unwrap_or(reading).elapsed();
        self.read += reading.elapsed();
        Timing { total: self.total, read: self.read, ..network }
    }
}

/// How much of a run is done: its share of the steps or, where their number is not known, of the way in log-SNR.
fn done(steps: Option<usize>, step: usize, at: Level, [first, last]: [Level; 2]) -> f64 {
    if let Some(steps) = steps {
        return step as f64 / steps as f64;
    }
    if at == last {
        return 1.0;
    }
    // A flow begins, and a run ends, at an infinite one.
    let lambda = |level: Level| level.lambda().clamp(-LARGEST_LAMBDA, LARGEST_LAMBDA);
    let (first, last) = (lambda(first), lambda(last));
    ((lambda(at) - first) / (last - first)).clamp(0.0, 1.0)
}

/// Half the log-SNR beyond which a picture is as good as clean, or as good as noise.
const LARGEST_LAMBDA: f64 = 7.0;
