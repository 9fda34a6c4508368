//! A mapped run beside its record.

use super::batch::Batch;
use super::model::Model;
use super::record::{Point, Record, Settings};
use super::{Outcome, TOLERANCE};
use crate::denoise::{Clipped, Denoiser};
use crate::interchange::{Bound, Draws, Mapped, Unmapped, diffusers};
use crate::math::{Latent, Level, Noise};
use crate::samplers::{Run, Step, ddim_inverse, method};

/// The recorded draws that the library used, in their order.
struct Recorded {
    draws: Vec<Batch>,
    drawn: usize,
}

impl Recorded {
    fn new(all: Vec<Batch>, draws: &Draws) -> Self {
        let used = |i: usize| match draws {
            Draws::All => true,
            Draws::Listed(used) => used.get(i).copied().unwrap_or(true),
        };
        Self { draws: all.into_iter().enumerate().filter(|(i, _)| used(*i)).map(|(_, draw)| draw).collect(), drawn: 0 }
    }
}

impl Noise<Batch> for Recorded {
    /// Zeros once the record has run out; [`Recorded::drawn`] shows it.
    fn normal(&mut self, like: &Batch) -> Batch {
        self.drawn += 1;
        self.draws.get(self.drawn - 1).cloned().unwrap_or_else(|| like.scale(0.0))
    }
}

/// What a run went through.
struct Trajectory {
    /// The point after each step, the start first.
    points: Vec<Batch>,
    /// The level of the first evaluation in each step; where it has none, the one that it begins at.
    levels: Vec<Level>,
}

/// Runs `mapped` and compares it with `case`; an error is a problem of the record.
pub(super) fn compare(mapped: &Mapped, case: &Record, settings: &Settings) -> Result<Outcome, String> {
    let calls = settings.full_step_after.len();
    // Where the sampler, too, takes a step with every evaluation, there are no stages inside.
    let ends = if mapped.steps.len() == calls { (0..calls).collect() } else { settings.ends() };
    let failed = |reason: String| Ok(Outcome::Failed { worst: f64::INFINITY, reason });
    if ends.len() != mapped.steps.len() {
        return failed(format!("it took {} steps, its settings lead to {} here", ends.len(), mapped.steps.len()));
    }
    let mut x = batches(case.points("x")?);
    if x.len() == calls + 1 {
        // After every evaluation: those inside a step are no business of a sampler's user.
        x = std::iter::once(0).chain(ends.iter().map(|i| i + 1)).map(|i| x[i].clone()).collect();
    }
    let z = batches(case.points("z")?).pop().ok_or("`z` is empty")?;
    let draws = if case.has("noise") { batches(case.points("noise")?) } else { Vec::new() };
    if x.len() != ends.len() + 1 || x.iter().chain(&draws).any(|points| points.0.len() != z.0.len()) {
        return Err("`x`, `z` and `noise` do not fit each other or `full_step_after`".to_owned());
    }
    if x.iter().flat_map(|x| &x.0).flatten().any(|v| !v.is_finite()) {
        return Ok(Outcome::Skipped { reason: "the recorded points are not finite".to_owned() });
    }
    // An inversion starts from data: its points are the first of the record, and nothing of them is drawn here.
    let start = if mapped.sampler == diffusers::INVERSE { x[0].clone() } else { z.scale(mapped.start) };
    let mut noise = Recorded::new(draws, &mapped.draws);
    let taken = match follow(mapped, &Model::new(mapped, batches(case.variances()?)), start, &mut noise) {
        Ok(taken) => taken,
        Err(Unmapped(reason)) => return Ok(Outcome::Skipped { reason }),
    };
    let begins: Vec<usize> = std::iter::once(0).chain(ends.iter().map(|end| end + 1)).take(ends.len()).collect();
    if let Some(reason) = different_levels(mapped, &taken.levels, case, &begins)? {
        return failed(reason);
    }
    if noise.drawn > noise.draws.len() {
        let used = noise.draws.len();
        return failed(format!("{used} draws of noise were recorded and used, {} were made here", noise.drawn));
    }
    let mut worst = 0.0_f64;
    for (recorded, taken) in x.iter().zip(&taken.points) {
        for (there, here) in recorded.0.iter().flatten().zip(taken.0.iter().flatten()) {
            let far = (here - there).abs() / (1.0 + there.abs());
            // A maximum would lose what is not a number.
            worst = if far.is_nan() { f64::INFINITY } else { worst.max(far) };
        }
    }
    if worst <= TOLERANCE {
        return Ok(Outcome::Passed { worst });
    }
    Ok(Outcome::Failed { worst, reason: format!("a point is {worst:.1e} away, more than {TOLERANCE:.0e}") })
}

fn batches(points: Vec<Vec<Point>>) -> Vec<Batch> {
    points.into_iter().map(Batch).collect()
}

/// The trajectory from `start`.
fn follow(mapped: &Mapped, model: &Model, start: Batch, noise: &mut Recorded) -> Result<Trajectory, Unmapped> {
    let steps = &mapped.steps;
    let mut taken = Trajectory { points: vec![start.clone()], levels: Vec::new() };
    let mut take = |steps: &mut dyn Iterator<Item = Step<Batch>>| {
        loop {
            let before = model.calls().len();
            let Some(step) = steps.next() else { break };
            taken.levels.push(model.calls().get(before).copied().unwrap_or(step.from));
            taken.points.push(step.x);
        }
    };
    let clipped =
        mapped.bound.map(|Bound { clip, use_clipped_model_output }| Clipped { model, clip, use_clipped_model_output });
    let denoiser: &dyn Denoiser<Batch> = clipped.as_ref().map_or(&model, |clipped| clipped);
    if mapped.sampler == diffusers::INVERSE {
        take(&mut ddim_inverse(start, steps, denoiser));
        return Ok(taken);
    }
    let method = method::<Batch>(mapped.sampler).and_then(|row| row.on_grid());
    let sampler = method.ok_or_else(|| Unmapped(format!("no row `{}` takes the steps of a grid", mapped.sampler)))?;
    let grid = mapped.grid()?;
    let run = Run::new(start, &grid, &mapped.schedule, denoiser, &mut *noise).with_tuning(mapped.tuning.clone());
    take(&mut *sampler(Run { orders: mapped.listed(), ..run }));
    let mut x = taken.points[taken.points.len() - 1].clone();
    for step in mapped.standing() {
        x = mapped.stand(denoiser, &x, *step);
        taken.points.push(x.clone());
        taken.levels.push(step.0);
    }
    if let Some(last_noise) = mapped.last_noise {
        let drawn = noise.normal(&x);
        let last = taken.points.len() - 1;
        taken.points[last] = last_noise.add(&x, drawn, model.last_variance());
    }
    Ok(taken)
}

/// The first level or timestep that is not the recorded one, in words.
fn different_levels(
    mapped: &Mapped,
    taken: &[Level],
    case: &Record,
    begins: &[usize],
) -> Result<Option<String>, String> {
    let near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * (1.0 + b.abs());
    let levels = case.pairs("level")?;
    let times = case.numbers("timesteps");
    for (k, ((&call, at), (from, _))) in begins.iter().zip(taken).zip(&mapped.steps).enumerate() {
        let &[alpha, sigma] = levels.get(call).ok_or("`level` has fewer rows than there were evaluations")?;
        if !near(at.alpha, alpha) || !near(at.sigma, sigma) {
            let (a, s) = (at.alpha, at.sigma);
            return Ok(Some(format!("step {k} began at alpha {alpha}, sigma {sigma}, here at {a}, {s}")));
        }
        let Some(times) = times else { continue };
        // One an evaluation, or one a step.
        let row = if times.len() == begins.len() { k } else { call };
        let time = *times.get(row).ok_or("`timesteps` has fewer rows than there were evaluations")?;
        if !near(from.t, time) {
            return Ok(Some(format!("step {k} had the conditioning time {time}, here {}", from.t)));
        }
    }
    Ok(None)
}
