//! Races of samplers, for the page.

use super::super::{Settings, given, taken};
use super::{Facts, Named, known};
use crate::eval::comparison::{self, Comparison, Cost};
use crate::settings::{self, Problem, Race};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// The race of settings whose key `race` names one.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null, hashmap_as_object)]
pub struct RacePlan {
    samplers: Vec<&'static str>,
    /// Of the model, rising.
    evaluations: Vec<usize>,
    /// A number of steps, or `dopri5`.
    reference: String,
    /// The levels that it runs on.
    spacing: String,
    /// Settings that are not as they start and have no place in a race.
    left_out: Vec<&'static str>,
    /// Why it cannot be run.
    #[tsify(type = "Problem | null")]
    problem: Option<Named>,
    /// Evaluations of the model that it takes; where an adaptive method takes part, `guessed`.
    cost: usize,
    guessed: bool,
}

/// A sampler's end after at most so many evaluations.
#[derive(Deserialize, Tsify)]
pub struct RacePoint {
    sampler: String,
    most: usize,
    /// Evaluations that it took.
    taken: usize,
    distance: f64,
}

#[derive(Deserialize, Tsify)]
pub struct RacePoints(Vec<RacePoint>);

/// Who came nearest.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct RaceTable {
    /// The nearest first.
    rows: Vec<RaceRank>,
    /// Every distance with all its digits.
    csv: String,
}

#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct RaceRank {
    sampler: String,
    /// After at most each of the numbers of evaluations; `null` where it is not known.
    distances: Vec<Option<f64>>,
    /// How fast the distance falls with the evaluations between the last two: `distance ~ evaluations^-order`.
    order: Option<f64>,
}

/// What the race of these settings is and what it takes; undefined where they have none.
#[wasm_bindgen]
pub fn race(settings: Ts<Settings>, facts: Option<Ts<Facts>>) -> Result<Option<Ts<RacePlan>>, JsValue> {
    let facts = known(facts)?;
    let settings::Checked { settings, page, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    let Some(race) = page.race else { return Ok(None) };
    let (_, left_out) = Comparison::without(&settings);
    let (comparison, problem): (_, Option<Problem>) = match Comparison::of(&race, &settings, facts) {
        Ok(comparison) => (Some(comparison), None),
        Err(problem) => (None, Some(problem)),
    };
    let cost = comparison.as_ref().zip(settings::stand_in()).and_then(|(race, process)| race.cost(&process).ok());
    let Cost { evaluations, guessed } = cost.unwrap_or(Cost { evaluations: 0, guessed: true });
    let Race { samplers, evaluations: counts, reference } = race;
    let plan = RacePlan {
        samplers,
        evaluations: counts,
        reference: reference.to_string(),
        spacing: comparison.map_or(String::new(), |race| race.spacing.to_string()),
        left_out,
        problem: problem.map(Named::from),
        cost: evaluations,
        guessed,
    };
    given(&plan).map(Some)
}

/// The ranking of a race's points, and all of them as comma-separated values.
#[wasm_bindgen]
pub fn race_table(settings: Ts<Settings>, points: Ts<RacePoints>) -> Result<Ts<RaceTable>, JsValue> {
    let settings::Checked { page, .. } = settings::Settings::checked(taken(&settings)?.pairs(), &[], None);
    let RacePoints(points) = taken(&points)?;
    let Race { samplers, evaluations, .. } = page.race.unwrap_or_else(|| Race::of(Vec::new()));
    let found = |sampler: &&'static str| {
        let at = |most: &usize| {
            let point = points.iter().find(|point| point.sampler == **sampler && point.most == *most)?;
            Some((point.taken, point.distance))
        };
        ((*sampler).to_owned(), evaluations.iter().map(at).collect())
    };
    let ranked = comparison::ranking(samplers.iter().map(found).collect());
    let csv = comparison::csv(&ranked, &evaluations);
    let rank = |row: comparison::Ranked| RaceRank {
        sampler: row.sampler,
        distances: row.found.into_iter().map(|found| found.map(|(_, distance)| distance)).collect(),
        order: row.order,
    };
    given(&RaceTable { rows: ranked.into_iter().map(rank).collect(), csv })
}
