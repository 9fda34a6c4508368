//! A comparison under way: each distance as soon as it is known.

use super::{CompareError, Comparison, Row};
use crate::eval::convergence::{At, Task, TaskError, steps_within};
use crate::math::{Latent, Schedule};
use crate::samplers::{Method, Tuning, evaluations, method, methods};
use crate::settings::Reference;
use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use std::pin::pin;

/// The method whose many steps stand for the end of the ODE, which every deterministic method has as its limit.
const LIMIT: &str = "dpmpp-2m";

/// Steps of the grid that an adaptive method reads the ends of; the finest grid ends where the others do.
const FINEST: usize = 1000;

/// An adaptive method is given the loosest of these tolerances that uses the evaluations up.
const TOLERANCES: [f64; 12] = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 1e-4, 1e-5];

/// An event of a comparison.
#[derive(Clone, Debug)]
pub enum News<X> {
    /// A step was done.
    Step {
        /// Of the model so far, in the whole comparison.
        evaluations: usize,
    },
    /// Where the ODE ends, or where a sampler that draws noise does.
    Limit { sampler: Option<&'static str>, x: X },
    /// A sampler has run with at most so many evaluations.
    Point {
        sampler: &'static str,
        evaluations: usize,
        /// `None` where even one step takes more.
        found: Option<Found<X>>,
    },
}

/// Where a sampler ended.
#[derive(Clone, Debug)]
pub struct Found<X> {
    pub x: X,
    /// That it took of the model.
    pub evaluations: usize,
    /// From its limit: the root mean square of the difference, the largest of any picture.
    pub distance: f64,
}

/// What a comparison takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Of the model; of adaptive methods, and of an adaptive reference, a guess.
    pub evaluations: usize,
    /// Whether some of it is a guess.
    pub guessed: bool,
}

/// A sampler with its limit and its runs so far.
struct Entrant<X> {
    method: Method<X>,
    tuning: Tuning,
    /// Whether its limit is its own, and that, once it is known.
    draws: bool,
    limit: Option<X>,
    /// The ends of an adaptive method, with [`TOLERANCES`] from the loosest on; they serve all numbers of evaluations.
    ends: Vec<Found<X>>,
}

/// A run that has to be done.
struct Job {
    what: What,
    tuning: Tuning,
    steps: usize,
}

#[derive(Clone, Copy)]
enum What {
    Limit,
    Tolerance,
    Steps,
}

impl Comparison {
    /// The samplers, with what was turned of them.
    fn entrants<X: Latent + 'static>(&self) -> Result<Vec<Entrant<X>>, CompareError> {
        let chosen: Vec<(Method<X>, Tuning)> = match &self.samplers[..] {
            [] => methods::<X>().into_iter().filter(Method::has_limit).map(|m| (m, Tuning::default())).collect(),
            some => some.iter().map(super::Chosen::tuned).collect::<Result<_, _>>()?,
        };
        let entrant = |(method, tuning): (Method<X>, Tuning)| {
            let draws = method.stochastic_with(&tuning);
            Entrant { method, tuning, draws, limit: None, ends: Vec::new() }
        };
        Ok(chosen.into_iter().map(entrant).collect())
    }

    /// The method, tuning and steps of the run that ends where the ODE does.
    fn reference<X: Latent + 'static>(&self) -> (Method<X>, Job) {
        let what = What::Limit;
        let (id, tuning, steps) = match self.reference {
            Reference::Steps(steps) => (LIMIT, Tuning::default(), steps),
            Reference::Dopri5 => (Reference::DOPRI5, Tuning::default(), FINEST),
        };
        let method = method::<X>(id).expect("a row of the table");
        let [.., least] = TOLERANCES;
        let tuning = if method.on_grid().is_some() { tuning } else { tolerant(&method, tuning, least) };
        (method, Job { what, tuning, steps })
    }

    /// The distances on any task with this spacing and seed, those of the fewest evaluations first. Nothing is computed ahead of the
    /// step that is awaited.
    ///
    /// # Errors
    /// A sampler that there is not, a grid that cannot be built, an adaptive method that gave up, a device that failed.
    pub fn race<'a, X: Latent + 'static>(
        &'a self,
        task: &'a Task<'a, X>,
    ) -> impl Stream<Item = Result<News<X>, CompareError>> + 'a {
        try_stream! {
            let mut entrants = self.entrants::<X>()?;
            let mut rising = self.evaluations.clone();
            rising.sort_unstable();
            let mut of_ode: Option<X> = None;
            let mut spent = 0;
            for most in rising {
                for entrant in &mut entrants {
                    let mut found = None;
                    while let Some(job) = entrant.job(task, most, of_ode.is_some(), found.is_some()) {
                        let ode = matches!(job.what, What::Limit) && !entrant.draws;
                        let (method, job) = if ode { self.reference() } else {
                            let steps = if matches!(job.what, What::Limit) { self.reference.own_steps() } else { job.steps };
                            (method(entrant.method.id).expect("a row of the table"), Job { steps, ..job })
                        };
                        let mut end = None;
                        {
                            let mut run = pin!(task.run(&method, job.tuning, job.steps));
                            while let Some(at) = run.next().await {
                                let at = at?;
                                yield News::Step { evaluations: spent + at.evaluations };
                                end = Some(at);
                            }
                        }
                        let Some(At { x, evaluations }) = end else { break };
                        spent += evaluations;
                        if matches!(job.what, What::Limit) {
                            let sampler = entrant.draws.then_some(entrant.method.id);
                            yield News::Limit { sampler, x: x.clone() };
                            if entrant.draws { entrant.limit = Some(x) } else { of_ode = Some(x) }
                            continue;
                        }
                        let Some(limit) = entrant.limit.as_ref().or(of_ode.as_ref()) else { break };
                        let distance = task.distance(&x, limit).await?;
                        let ended = Found { x, evaluations, distance };
                        match job.what {
                            What::Tolerance => entrant.ends.push(ended),
                            _ => found = Some(ended),
                        }
                    }
                    let found = found.or_else(|| entrant.within(most).cloned());
                    yield News::Point { sampler: entrant.method.id, evaluations: most, found };
                }
            }
        }
    }

    /// A row a sampler, of the distances as they come.
    ///
    /// # Errors
    /// The first of the comparison.
    pub async fn table<X>(
        &self,
        news: impl Stream<Item = Result<News<X>, CompareError>>,
    ) -> Result<Vec<Row>, CompareError> {
        let mut rows: Vec<Row> = Vec::new();
        let mut news = pin!(news);
        while let Some(news) = news.next().await {
            let News::Point { sampler, evaluations, found } = news? else { continue };
            let at = rows.iter().position(|row| row.id == sampler).unwrap_or_else(|| {
                rows.push(Row { id: sampler, found: vec![None; self.evaluations.len()] });
                rows.len() - 1
            });
            let columns = self.evaluations.iter().zip(&mut rows[at].found).filter(|(n, _)| **n == evaluations);
            columns.for_each(|(_, at)| *at = found.as_ref().map(|found| (found.evaluations, found.distance)));
        }
        Ok(rows)
    }

    /// What it takes on a schedule.
    ///
    /// # Errors
    /// A sampler that there is not, a grid that cannot be built.
    pub fn cost(&self, schedule: &Schedule) -> Result<Cost, CompareError> {
        let (mut sum, mut guessed) = (0, false);
        let mut run = |method: &Method<f64>, tuning: &Tuning, steps| -> Result<(), CompareError> {
            let grid = self.spacing.grid(schedule, steps).map_err(TaskError::Grid)?;
            let taken = evaluations(method, tuning.clone(), &grid, grid.steps(), schedule);
            guessed |= taken.is_none();
            sum += taken.unwrap_or(GUESS);
            Ok(())
        };
        let entrants = self.entrants::<f64>()?;
        if entrants.iter().any(|entrant| !entrant.draws) {
            let (method, job) = self.reference();
            run(&method, &job.tuning, job.steps)?;
        }
        for Entrant { method, tuning, draws, .. } in &entrants {
            if *draws {
                run(method, tuning, self.reference.own_steps())?;
            }
            if method.on_grid().is_none() {
                run(method, tuning, FINEST)?;
                continue;
            }
            for most in &self.evaluations {
                if let Some(steps) = steps_within((method, tuning), schedule, &self.spacing, *most) {
                    run(method, tuning, steps)?;
                }
            }
        }
        Ok(Cost { evaluations: sum, guessed })
    }
}

/// Evaluations that an adaptive method is guessed to take.
const GUESS: usize = 400;

/// An adaptive method's tuning with this tolerance.
fn tolerant<X>(method: &Method<X>, tuning: Tuning, tolerance: f64) -> Tuning {
    let set = [("tolerance", tolerance), ("absolute-tolerance", 0.1 * tolerance)];
    let knobs = set.into_iter().filter_map(|(id, value)| Some((method.knob(id)?, value)));
    knobs.fold(tuning, |tuning, (knob, value)| tuning.with(knob, value))
}

impl<X: Latent + 'static> Entrant<X> {
    /// The next run that has to be done to know where this sampler is after at most so many evaluations.
    fn job(&self, task: &Task<'_, X>, most: usize, ode: bool, found: bool) -> Option<Job> {
        let job = |what, tuning, steps| Some(Job { what, tuning, steps });
        let limit = if self.draws { self.limit.is_some() } else { ode };
        if self.method.on_grid().is_none() {
            let spent = self.ends.iter().any(|end| end.evaluations > most);
            let tolerance = TOLERANCES.get(self.ends.len()).filter(|_| !spent)?;
            let tuning = tolerant(&self.method, self.tuning.clone(), *tolerance);
            return if limit {
                job(What::Tolerance, tuning, FINEST)
            } else {
                job(What::Limit, self.tuning.clone(), FINEST)
            };
        }
        if found {
            return None;
        }
        let plain = method::<f64>(self.method.id)?;
        let steps = steps_within((&plain, &self.tuning), task.schedule, &task.spacing, most)?;
        job(if limit { What::Steps } else { What::Limit }, self.tuning.clone(), steps)
    }

    /// The end with the smallest tolerance before one takes more evaluations.
    fn within(&self, most: usize) -> Option<&Found<X>> {
        self.ends.iter().take_while(|end| end.evaluations <= most).last()
    }
}
