//! A run: model, sampler and grid in, frames out.

mod asked;
mod script;
mod trajectory;

pub use asked::Helpers;
pub use script::{ScriptError, script};

use crate::backend::{self, BackendError, ImageNoise};
use crate::denoise::{last_share, noised};
use crate::math::noise::BrownianPath;
use crate::math::{Grid, GridError, Latent, Level, Noise};
use crate::models::{LoadError, Pretrained};
use crate::picture;
use crate::samplers::{GaveUp, Run, Tally};
use crate::settings::{Guide, Reason, Settings, Source};
use asked::{Known, Timed};
use burn::tensor::{Device, Tensor};
use std::ops::{ControlFlow, Range};
use std::time::Duration;
use thiserror::Error;
use trajectory::{BatchStep, Trajectories, part, parts};
use web_time::Instant;

/// One finished step, read back from the device.
pub struct Frame {
    /// 0 is the starting noise, then 1, 2, ..
    pub step: usize,
    /// Number of the last step; `None` where the method chooses its steps as it goes.
    pub steps: Option<usize>,
    /// How much of the run is done, from 0 to 1.
    pub done: f64,
    /// The level of the picture that has the most noise.
    pub level: Level,
    /// The level of each picture: where a method chooses its steps, each has its own.
    pub levels: Vec<Level>,
    /// `x_t`, `[images, channels, height, width]`.
    pub x: Vec<f32>,
    /// The model's estimate of `x_0` that the step was built on; the starting noise has none.
    pub denoised: Option<Vec<f32>>,
    /// The steps that were tried, where the method chooses them as it goes.
    pub tally: Option<Tally>,
    pub timing: Timing,
}

impl Frame {
    /// `x_t` and the estimate of `x_0` as bytes `[images, height, width, channels]`. `x_t` is first divided by its
    /// level's [`marginal_std`](Level::marginal_std), so that every process shows its noise in the same contrast.
    pub fn pixels(&self, shape: [usize; 3], range: [f64; 2]) -> (Vec<u8>, Option<Vec<u8>>) {
        let size = shape.iter().product();
        let x = self.x.chunks(size).zip(&self.levels).flat_map(|(x, at)| {
            let std = at.marginal_std();
            picture::to_bytes(x, shape, range.map(|v| v * std))
        });
        (x.collect(), self.denoised.as_ref().map(|d| picture::to_bytes(d, shape, range)))
    }
}

/// Where the time of a run went so far. On a GPU, where the network only queues its work, the share of the network
/// shows up in reading back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Since the run began, without the time the receiver of the frames took.
    pub total: Duration,
    /// Spent inside the network's forward pass.
    pub network: Duration,
    /// Forward passes of the network.
    pub evaluations: usize,
}

impl Timing {
    /// The sum of the network's times and evaluations of two parts of a batch.
    fn and(self, other: Self) -> Self {
        Self {
            total: self.total,
            network: self.network + other.network,
            evaluations: self.evaluations + other.evaluations,
        }
    }
}

/// What a run is given besides its settings: what no link can carry.
#[derive(Default)]
pub struct Given<'a> {
    /// A picture to start from, `[channels, height, width]`.
    pub picture: Option<Vec<f32>>,
    /// 1 where the picture is to stay and 0 where it is to be made anew, `[height, width]`.
    pub kept: Option<Vec<f32>>,
    /// The class of each picture, where the one word of the settings does not do.
    pub classes: Option<Vec<usize>>,
    pub helpers: Helpers<'a>,
}

/// Why a run could not begin or go on.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error("Class {got} was asked for, but this model has {}.", classes(*.known))]
    Class { got: usize, known: usize },
    #[error(
        "This model was never trained without a label, so it has no guidance and no class \"none\"; set guidance to 1 and pick a class."
    )]
    NeedsLabel,
    #[error("The sampler must be {0}.")]
    Sampler(Reason),
    #[error(
        "CFG++ changes the noise that a step keeps, which only DDIM, Euler and Euler ancestral ask the model for; choose one of them, or plain guidance."
    )]
    NoCfgPlusPlus,
    #[error("{got} classes were given for {expected} pictures.")]
    Classes { got: usize, expected: usize },
    #[error("A classifier leads towards a class, and none was asked for; pick a class.")]
    NothingToClassify,
    #[error("A classifier is to lead this run, and there is none for this model; set classifier to 0.")]
    NoClassifier,
    #[error("The classifier takes pictures of {known} channels, but this model's have {got}; use the one made for it.")]
    ClassifierChannels { got: usize, known: usize },
    #[error("The worse model has pictures of another size, or other classes; choose one of the same data.")]
    Worse,
    #[error(
        "The picture to start from has {got} values, but this model's have {expected}; fit it to the model's size."
    )]
    Picture { got: usize, expected: usize },
    #[error("With this strength no step is left to change the picture; raise the strength or the number of steps.")]
    NoStrength,
    #[error("{0}.")]
    Grid(#[from] GridError),
    #[error(
        "The numbers stopped being finite at step {step}, so there is no picture; try another sampler or schedule, or the CPU backend."
    )]
    NotFinite { step: usize },
    #[error("The sampler gave up: {0}.")]
    GaveUp(#[from] GaveUp),
    #[error(transparent)]
    Backend(#[from] BackendError),
}

fn classes(known: usize) -> String {
    match known {
        0 => "no classes".to_owned(),
        n => format!("classes 0 to {}", n - 1),
    }
}

/// The settings that a model starts with.
///
/// # Errors
/// Its card names a setting or a value that there is not.
pub fn preset(model: &Pretrained) -> Result<Settings, LoadError> {
    Settings::preset(&model.card.defaults).map_err(|problem| LoadError::Card(format!("in defaults, {problem}")))
}

/// Runs `settings` on `model` and hands each step to `each`, the starting noise first.
///
/// Nothing is computed ahead: between two steps `each` has control, and the run ends there when it answers
/// [`ControlFlow::Break`].
///
/// # Errors
/// A class or guidance the model does not have, a grid that cannot be built, a device that failed.
pub async fn run(
    model: &Pretrained,
    settings: &Settings,
    given: Given<'_>,
    device: &Device,
    mut each: impl AsyncFnMut(Frame) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SessionError> {
    let method = settings.method().map_err(SessionError::Sampler)?;
    if settings.guide == Guide::CfgPlusPlus && !method.cfg_pp {
        return Err(SessionError::NoCfgPlusPlus);
    }
    // A method that chooses its steps reads the ends of the grid; the finest one ends where the model was trained last.
    let steps = if method.on_grid().is_some() { settings.steps } else { *Settings::STEPS.end() };
    let mut grid = settings.schedule.grid(&model.schedule, steps)?;
    let parts = parts(&method.walk, settings.images);
    let seed = |part: &Range<usize>| settings.seed.wrapping_add(part.start as u32);
    let mut noises: Vec<_> = parts.iter().map(|part| ImageNoise::new(seed(part), part.len())).collect();

    let mut began = Instant::now();
    let [channels, height, width] = model.shape();
    let batch = [settings.images, channels, height, width];
    let draws = noises.iter_mut().zip(&parts);
    let draws = draws.map(|(noise, part)| noise.normal(&Tensor::zeros([part.len(), channels, height, width], device)));
    let z = Tensor::cat(draws.collect(), 0);
    fits(given.picture.as_deref(), channels * height * width)?;
    fits(given.kept.as_deref(), height * width)?;
    let picture = given.picture.as_deref().map(|values| backend::spread(values, batch, device));
    let start = match &picture {
        None => z.scale(grid.first().marginal_std()),
        Some(picture) => {
            grid = last_share(&grid, settings.strength).ok_or(SessionError::NoStrength)?;
            noised(picture, &z, grid.first())
        }
    };
    let kept = given.kept.as_deref().map(|values| backend::spread(values, batch, device));
    let known = picture.zip(kept);
    let labels = asked::labels(settings, model, given.classes);
    if labels.len() != settings.images {
        return Err(SessionError::Classes { got: labels.len(), expected: settings.images });
    }
    let network = |range: &Range<usize>| {
        let of = |batch: &Tensor<4>| part(batch, range);
        let known = known.as_ref();
        let known = known.map(|(picture, kept)| Known { picture: of(picture), kept: of(kept), noise: of(&z) });
        asked::denoiser(settings, model, &labels[range.clone()], given.helpers, known).map(Timed::new)
    };
    let networks = parts.iter().map(network).collect::<Result<Vec<_>, _>>()?;
    let spent = || networks.iter().map(Timed::spent).fold(Timing::default(), Timing::and);
    let steps = method.on_grid().map(|_| grid.steps());
    let frame = |step, levels: Vec<Level>, x, denoised, tally, total| {
        let level = levels.iter().copied().max_by(|a, b| a.nsr().total_cmp(&b.nsr())).unwrap_or(grid.first());
        let (done, timing) = (done(steps, step, level, &grid), Timing { total, ..spent() });
        Frame { step, steps, done, level, levels, x, denoised, tally, timing }
    };

    let x = backend::read(start.clone()).await?;
    let mut total = began.elapsed();
    if each(frame(0, vec![grid.first(); settings.images], x, None, None, total)).await.is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let mut paths: Vec<_> = parts.iter().map(|part| BrownianPath::new(seed(part).into())).collect();
    let noises: Vec<&mut dyn Noise<Tensor<4>>> = match settings.noise {
        Source::Stream => noises.iter_mut().map(|noise| noise as &mut dyn Noise<_>).collect(),
        Source::Brownian => paths.iter_mut().map(|path| path as &mut dyn Noise<_>).collect(),
    };
    let tuning = settings.tuning(&method);
    let runs = parts.iter().zip(&networks).zip(noises).map(|((range, network), noise)| {
        Run::new(part(&start, range), &grid, &model.schedule, network, noise).with_tuning(tuning.clone())
    });
    let mut trajectories = Trajectories::new(&method.walk, parts.clone(), runs);
    for step in 1.. {
        began = Instant::now();
        let Some(BatchStep { x, denoised, levels }) = trajectories.next().await? else { break };
        // One read-back for both: on a GPU each one waits for the queue.
        let mut x = backend::read(Tensor::cat(vec![x, denoised], 0)).await?;
        let denoised = x.split_off(x.len() / 2);
        total += began.elapsed();
        if !x.iter().chain(&denoised).all(|v| v.is_finite()) {
            return Err(SessionError::NotFinite { step });
        }
        if each(frame(step, levels, x, Some(denoised), trajectories.tally(), total)).await.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether a picture or a mask has as many values as it must.
fn fits(values: Option<&[f32]>, expected: usize) -> Result<(), SessionError> {
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
