//! Walking a plan beside its record.

use super::plan::{Leg, Plan, Unknown};
use super::record::{Point, Record};
use super::{Outcome, TOLERANCE};
use crate::denoise::ideal::{Component, Mixture, Posterior};
use crate::denoise::{Denoiser, Prediction};
use crate::math::{Latent, Level, Noise, Ve};
use crate::samplers::{Run, Tuning, method};

/// The recorded runs' model: exact, for four Gaussians of standard deviation 0.5, and asked through its prediction.
struct Model {
    data: Mixture<2>,
    prediction: Prediction,
    clip: Option<f64>,
}

impl Model {
    fn new(prediction: Prediction, clip: Option<f64>) -> Self {
        let means = [[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]];
        let components = means.map(|mean| Component { weight: 1.0, mean, std: 0.5 }).to_vec();
        Self { data: Mixture::new(components).expect("the constants above are a mixture"), prediction, clip }
    }
}

impl Denoiser<Point> for Model {
    fn denoise(&self, x: &Point, at: Level) -> Point {
        let Posterior { x0, eps } = self.data.posterior(x, at);
        let output = match self.prediction {
            Prediction::Epsilon => eps,
            Prediction::Sample => x0,
            Prediction::Velocity => eps.mix(at.alpha, &x0, -at.sigma),
            Prediction::Flow => eps.mix(1.0, &x0, -1.0),
            Prediction::Score => eps.scale(-1.0 / at.sigma),
        };
        let x0 = self.prediction.to_x0(x, &output, at);
        self.clip.map_or(x0, |bound| x0.map(|v| v.clamp(-bound, bound)))
    }
}

/// The recorded draws of one particle, in their order.
struct Draws<'a> {
    draws: &'a [Vec<Point>],
    particle: usize,
    drawn: usize,
}

impl Noise<Point> for Draws<'_> {
    /// Zeros once the record has run out; [`Draws::drawn`] shows it.
    fn normal(&mut self, _like: &Point) -> Point {
        self.drawn += 1;
        self.draws.get(self.drawn - 1).map_or([0.0; 2], |draw| draw[self.particle])
    }
}

/// Walks `plan` and compares it with `case`; an error is a problem of the record.
pub(super) fn compare(plan: &Plan, case: &Record) -> Result<Outcome, String> {
    let legs = match plan.legs() {
        Ok(legs) => legs,
        Err(Unknown(reason)) => return Ok(Outcome::Skipped { reason }),
    };
    let settings = case.settings()?;
    let calls = settings.full_step_after.len();
    let ends = settings.ends();
    let failed = |reason: String| Ok(Outcome::Failed { worst: f64::INFINITY, reason });
    if ends.len() != plan.steps.len() {
        return failed(format!("it took {} steps, its settings lead to {} here", ends.len(), plan.steps.len()));
    }
    let begins: Vec<usize> = std::iter::once(0).chain(ends.iter().map(|end| end + 1)).take(ends.len()).collect();
    if let Some(reason) = different_levels(plan, case, &begins)? {
        return failed(reason);
    }

    let mut x = case.points("x")?;
    if x.len() == calls + 1 {
        // After every evaluation: those inside a step are no business of a sampler's user.
        x = std::iter::once(0).chain(ends.iter().map(|i| i + 1)).map(|i| x[i].clone()).collect();
    }
    let z = case.points("z")?;
    let draws = if case.has("noise") { case.points("noise")? } else { Vec::new() };
    if x.len() != ends.len() + 1 || z.len() != 1 || x.iter().chain(&draws).any(|points| points.len() != z[0].len()) {
        return Err("`x`, `z` and `noise` do not fit each other or `full_step_after`".to_owned());
    }
    if x.iter().flatten().flatten().any(|v| !v.is_finite()) {
        return Ok(Outcome::Skipped { reason: "the recorded points are not finite".to_owned() });
    }

    let mut worst = 0.0_f64;
    for (particle, z) in z[0].iter().enumerate() {
        let mut noise = Draws { draws: &draws, particle, drawn: 0 };
        let walked = walk(plan, &legs, z.scale(plan.start), &mut noise);
        if noise.drawn > draws.len() {
            return failed(format!("{} draws of noise were recorded, {} were made here", draws.len(), noise.drawn));
        }
        for (recorded, walked) in x.iter().zip(walked) {
            for (there, here) in recorded[particle].iter().zip(walked) {
                let far = (here - there).abs() / (1.0 + there.abs());
                // A maximum would lose what is not a number.
                worst = if far.is_nan() { f64::INFINITY } else { worst.max(far) };
            }
        }
    }
    if worst <= TOLERANCE {
        return Ok(Outcome::Passed { worst });
    }
    Ok(Outcome::Failed { worst, reason: format!("a point is {worst:.1e} away, more than {TOLERANCE:.0e}") })
}

/// The points of one particle after each step, the start first.
fn walk(plan: &Plan, legs: &[Leg], start: Point, noise: &mut Draws<'_>) -> Vec<Point> {
    let sampler = method::<Point>(plan.sampler).expect("plans name rows of the table");
    let model = Model::new(plan.prediction, plan.clip);
    let tuning = Tuning { eta: plan.eta.unwrap_or(sampler.tuning.eta), ..sampler.tuning };
    let mut points = vec![start];
    let mut x = start;
    for leg in legs {
        match leg {
            Leg::Walk(grid) => {
                let run = Run { start: x, grid, schedule: &Ve::default(), model: &model, noise, tuning, orders: None };
                points.extend(sampler.on_grid().expect("plans name rows that walk a grid")(run).map(|step| step.x));
                x = points[points.len() - 1];
            }
            Leg::Stay => points.push(x),
        }
    }
    points
}

/// The first level or timestep of the plan that is not the recorded one, in words.
fn different_levels(plan: &Plan, case: &Record, begins: &[usize]) -> Result<Option<String>, String> {
    let near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * (1.0 + b.abs());
    let levels = case.pairs("level")?;
    let times = case.numbers("timesteps");
    for (k, (&call, (from, _))) in begins.iter().zip(&plan.steps).enumerate() {
        let &[alpha, sigma] = levels.get(call).ok_or("`level` has fewer rows than there were evaluations")?;
        if !near(from.alpha, alpha) || !near(from.sigma, sigma) {
            let (a, s) = (from.alpha, from.sigma);
            return Ok(Some(format!("step {k} began at alpha {alpha}, sigma {sigma}, here at {a}, {s}")));
        }
        let Some(times) = times else { continue };
        let time = *times.get(call).ok_or("`timesteps` has fewer rows than there were evaluations")?;
        if !near(from.t, time) {
            return Ok(Some(format!("step {k} was told time {time}, here {}", from.t)));
        }
    }
    Ok(None)
}
