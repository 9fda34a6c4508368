//! The loop.

use super::checkpoint::Checkpoint;
use super::log::{Log, Row};
use super::{Job, Outcome, RunError, file};
use crate::backend;
use crate::train::recipe::Recipe;
use crate::train::tasks::Task;
use crate::train::trainer::{Trainer, learning_rate};
use pollster::block_on;
use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Steps between rows of the log.
const LOG_EVERY: usize = 50;
/// Steps between measurements on held-out pictures, and of how many of them a classifier's accuracy is one.
const HELD_EVERY: usize = 500;
const FEW: usize = 512;

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
}

impl Fit<'_> {
    /// Trains `net` and hands what is kept of it to `write`.
    pub fn run<T: Task>(
        &self,
        mut task: T,
        net: T::Net,
        write: impl FnOnce(&T, &T::Kept) -> Result<(), RunError>,
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

        let mut log = Log::new(out, trainer.steps(), T::CLASSIFIES);
        let mut last = None;
        let began = Instant::now();
        let elapsed = || before + began.elapsed();
        let (mut saved, mut marked) = (Instant::now(), (trainer.steps(), elapsed()));
        while trainer.steps() < steps {
            let step = trainer.steps();
            let batch = task.batch(step);
            let lr = train.lr * learning_rate(step, self.recipe.warmup(), steps);
            let loss = trainer.step(lr, |net| task.loss(net, &batch));
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
                let measured = if due { task.measure(&trainer.averaged(0), Some(FEW))? } else { None };
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
            .map(|which| task.measure(&trainer.averaged(which), None))
            .collect::<Result<Option<Vec<_>>, _>>();
        let measures = measures?.unwrap_or_default();
        let best = (0..measures.len()).min_by(|&a, &b| measures[a].loss.total_cmp(&measures[b].loss)).unwrap_or(0);
        let accuracy = measures.get(best).and_then(|best| best.accuracy);
        if let Some(row) = last {
            log.push(&Row { held_out: measures.get(best).map(|best| best.loss), accuracy, ..row })?;
        }
        write(&task, T::kept(&trainer.averaged(best)))?;
        let copy = out.join("recipe.toml");
        fs::write(&copy, self.text).map_err(file(&copy))?;
        Checkpoint::remove(&place)?;
        let losses = measures.iter().map(|measured| measured.loss);
        Ok(Outcome::Done { held_out: train.ema_decays.iter().copied().zip(losses).collect(), accuracy })
    }
}
