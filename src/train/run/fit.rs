//! The loop.

use super::checkpoint::Checkpoint;
use super::log::{Log, Row};
use super::{Job, Outcome, RunError, file};
use crate::backend;
use crate::dataset::Split;
use crate::train::draws::{Distribution, Order, Stream, permutation};
use crate::train::recipe::{Network, Recipe};
use crate::train::tasks::Task;
use crate::train::trainer::{Trainer, learning_rate};
use pollster::block_on;
use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Steps between rows of the log.
const LOG_EVERY: usize = 50;
/// Steps between measurements on held-out pictures, and pictures in one.
const HELD_EVERY: usize = 500;
const HELD_IMAGES: usize = 512;

/// What is known after a step.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    pub steps: usize,
    /// The loss, smoothed over the last hundred steps or so.
    pub loss: f64,
    /// Since the last row of the log.
    pub images_per_s: f64,
}

/// A run that is ready to go.
pub struct Fit<'a> {
    pub job: &'a Job<'a>,
    pub recipe: &'a Recipe,
    /// The recipe's text.
    pub text: &'a str,
    pub split: &'a Split,
    pub distribution: Distribution,
}

/// What held-out pictures say.
struct Measured {
    loss: f64,
    accuracy: Option<f64>,
}

impl Fit<'_> {
    /// Trains `net` and hands what is kept of it to `write`.
    pub fn run<T: Task>(
        &self,
        task: T,
        net: T::Net,
        write: impl FnOnce(&T::Kept) -> Result<(), RunError>,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, RunError> {
        let (out, train, steps) = (self.job.out, &self.recipe.train, self.recipe.steps());
        let place = Checkpoint::place(out);
        fs::create_dir_all(out).map_err(file(out))?;
        let mut trainer = Trainer::new(net, self.recipe.options());
        let (mut before, mut smooth) = (Duration::ZERO, None);
        if self.job.resume {
            let found = Checkpoint::read(&place, self.recipe)?;
            let misfit = || RunError::Checkpoint { path: place.clone(), why: "its weights are of another size".into() };
            (before, smooth) = (found.elapsed, found.smooth);
            trainer = trainer.resume(found.state).ok_or_else(misfit)?;
        } else if place.exists() {
            return Err(RunError::Unfinished(place));
        }
        let save = |trainer: &Trainer<T::Net>, elapsed: Duration, smooth: Option<f64>| {
            let state = block_on(trainer.state())?;
            Checkpoint { state, elapsed, smooth }.write(&place, self.text)
        };

        let mut log = Log::new(out, trainer.steps(), matches!(self.recipe.network, Network::Classifier { .. }));
        let mut last = None;
        let mut order = Order::new(train.seed, self.split.seen.len());
        let began = Instant::now();
        let elapsed = || before + began.elapsed();
        let (mut saved, mut marked) = (Instant::now(), (trainer.steps(), elapsed()));
        while trainer.steps() < steps {
            let step = trainer.steps();
            let picks = order.picks(step, train.batch);
            let draws = &mut Stream::Draws.generator(train.seed, step as u64);
            let batch = self.distribution.batch(&self.split.seen, &picks, draws);
            let lr = train.lr * learning_rate(step, self.recipe.warmup(), steps);
            let loss = trainer.step(lr, |net| task.loss(net, &batch, self.job.device));
            let loss = block_on(backend::read(loss))?[0];
            if !loss.is_finite() {
                return Err(RunError::Diverged { loss, step });
            }
            let loss = f64::from(loss);
            let smoothed = smooth.map_or(loss, |smooth| 0.99 * smooth + 0.01 * loss);
            smooth = Some(smoothed);

            let (done, now) = (step + 1, elapsed());
            let images_per_s = ((done - marked.0) * train.batch) as f64 / (now - marked.1).as_secs_f64().max(1e-9);
            if done.is_multiple_of(LOG_EVERY) || done == steps {
                let due = done.is_multiple_of(HELD_EVERY) && done < steps;
                let measured = if due { self.measure(&task, &trainer.averaged(0), HELD_IMAGES)? } else { None };
                let row = Row {
                    step: done,
                    images: done * train.batch,
                    loss,
                    loss_ema: smoothed,
                    held_out: measured.as_ref().map(|measured| measured.loss),
                    accuracy: measured.and_then(|measured| measured.accuracy),
                    lr,
                    images_per_s,
                    elapsed: now,
                };
                if done < steps {
                    log.push(&row)?;
                } else {
                    last = Some(row);
                }
                marked = (done, elapsed());
            }
            let flow = watch(&Progress { step: done, steps, loss: smoothed, images_per_s });
            if flow.is_break() && done < steps {
                save(&trainer, elapsed(), smooth)?;
                return Ok(Outcome::Stopped { step: done, steps });
            }
            if saved.elapsed().as_secs_f64() > 60.0 * train.checkpoint_minutes {
                save(&trainer, elapsed(), smooth)?;
                saved = Instant::now();
            }
        }

        // Without held-out pictures the first average is as good as another.
        let measures = (0..train.ema_decays.len())
            .map(|which| self.measure(&task, &trainer.averaged(which), usize::MAX))
            .collect::<Result<Option<Vec<_>>, _>>();
        let measures = measures?.unwrap_or_default();
        let best = (0..measures.len()).min_by(|&a, &b| measures[a].loss.total_cmp(&measures[b].loss)).unwrap_or(0);
        let accuracy = measures.get(best).and_then(|best| best.accuracy);
        if let Some(row) = last {
            log.push(&Row { held_out: measures.get(best).map(|best| best.loss), accuracy, ..row })?;
        }
        write(T::kept(&trainer.averaged(best)))?;
        let copy = out.join("recipe.toml");
        fs::write(&copy, self.text).map_err(file(&copy))?;
        Checkpoint::remove(&place)?;
        let losses = measures.iter().map(|measured| measured.loss);
        Ok(Outcome::Done { held_out: train.ema_decays.iter().copied().zip(losses).collect(), accuracy })
    }

    /// The loss on [`HELD_IMAGES`] held-out pictures, always the same with the same noise, and a classifier's accuracy
    /// on `most` of them at the least noisy level.
    fn measure<T: Task>(&self, task: &T, net: &T::Net, most: usize) -> Result<Option<Measured>, RunError> {
        let Some(held) = self.split.held.as_ref().filter(|held| !held.is_empty()) else { return Ok(None) };
        let (device, train) = (self.job.device, &self.recipe.train);
        let mut generator = Stream::Held.generator(train.seed, 0);
        let picks = permutation(held.len(), &mut generator);
        let distribution = Distribution { augment: None, label_drop: None, ..self.distribution.clone() };
        let mut sum = 0.0;
        let few = &picks[..HELD_IMAGES.min(picks.len())];
        for picks in few.chunks(train.batch) {
            let batch = distribution.batch(held, picks, &mut generator);
            let loss = block_on(backend::read(task.loss(net, &batch, device).reported))?[0];
            sum += f64::from(loss) * picks.len() as f64;
        }
        let clean = Distribution { clean_share: 1.0, ..distribution };
        let (mut right, mut classified) = (0, 0);
        for picks in picks[..most.min(picks.len())].chunks(train.batch) {
            let batch = clean.batch(held, picks, &mut generator);
            let Some(logits) = task.logits(net, &batch, device) else { break };
            right += correct(&batch.labels, &block_on(backend::read(logits))?);
            classified += picks.len();
        }
        let accuracy = (classified > 0).then(|| right as f64 / classified as f64);
        Ok(Some(Measured { loss: sum / few.len() as f64, accuracy }))
    }
}

/// How many of `labels` are the largest of their row of `logits`.
fn correct(labels: &[usize], logits: &[f32]) -> usize {
    let largest = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
    let rows = logits.chunks_exact(logits.len() / labels.len());
    labels.iter().zip(rows).filter(|(label, row)| largest(row) == Some(**label)).count()
}
