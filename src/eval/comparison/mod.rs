//! Samplers beside each other: how far each of them ends from its limit, by the number of model evaluations.

#[cfg(feature = "nn")]
mod of_model;
mod race;
mod ranking;

pub use race::{Cost, Found, News};
pub use ranking::{Distances, Ranked, csv, ranking};

use super::convergence::{Reading, Task, TaskError};
use crate::denoise::Denoiser;
use crate::denoise::ideal::{Component, Mixture};
use crate::math::noise::BrownianPath;
use crate::math::{Discrete, Latent, Level, Noise, Schedule, Spacing, TorchGenerator};
use crate::samplers::{Method, Tuning, method, methods};
use crate::settings::{Facts, Levels, Linked, Page, Problem, Race, Reason, Reference, Settings, Value};
use crate::words::nearest;
use std::collections::BTreeMap;
use thiserror::Error;

/// What is compared, and at which numbers of evaluations.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub evaluations: Vec<usize>,
    pub spacing: Spacing,
    /// Samplers in the order of the rows; all whose limit is known where there is none.
    pub samplers: Vec<Chosen>,
    pub reference: Reference,
    /// Of the starting noise.
    pub seed: u32,
}

/// A sampler, and what was turned of it, by the ids of its knobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    pub id: String,
    pub knobs: BTreeMap<&'static str, f64>,
}

/// A sampler's distances from its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: &'static str,
    pub found: Distances,
}

/// Why samplers cannot be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    #[error("There is no sampler \"{id}\"{hint}; `unnoise list` names them.", id = .0, hint = meant(.0))]
    NoSampler(String),
    #[error(transparent)]
    Task(#[from] TaskError),
    #[cfg(feature = "nn")]
    #[error(transparent)]
    Session(#[from] crate::session::SessionError),
}

/// What may have been meant by an id.
fn meant(id: &str) -> String {
    let known: Vec<_> = methods::<f64>().iter().map(|m| m.id).collect();
    nearest(id, known).map_or(String::new(), |meant| format!(" (did you mean {meant}?)"))
}

/// Points of the plane that are compared together where the data are Gaussians.
pub const POINTS: usize = 256;

/// Standard deviation of the four Gaussians' data in each coordinate: means of 2 on either side, and 0.5 around them.
pub const GAUSSIANS_STD: f64 = 2.0615528128088303;

type Cloud = [f64; 2 * POINTS];

/// Settings that have no place in a comparison, which begins with noise and draws what noise it needs along a Brownian path.
pub const WITHOUT: [&str; 6] = ["strength", "noise", "classifier", "variation", "variation-seed", "from"];

impl Comparison {
    /// The levels that samplers are compared on under these settings. The model's own, which have no limit, are replaced by those of
    /// [`Spacing::Trailing`].
    ///
    /// # Errors
    /// A list of levels, which has its own number of steps.
    pub fn spacing_of(settings: &Settings) -> Result<Spacing, Problem> {
        match &settings.schedule {
            Levels::Spaced(spacing) if spacing.steps().is_some() => {
                let why = "a list of levels has one number of steps, and so no limit";
                Err(Problem::new("schedule", spacing, Reason::Idle { why }))
            }
            Levels::Spaced(spacing) => Ok(spacing.clone()),
            Levels::Model => Ok(Spacing::Trailing),
        }
    }

    /// A race on the levels and with the seed of these settings; each sampler keeps the parameters that it has.
    ///
    /// # Errors
    /// As [`spacing_of`](Self::spacing_of), and the first sampler that does not take the settings.
    pub fn of(race: &Race, settings: &Settings, facts: Option<Facts>) -> Result<Self, Problem> {
        let spacing = Self::spacing_of(settings)?;
        let chosen = |id: &&'static str| {
            let change = ("sampler", Some(Value::from(*id)));
            let changed = settings.clone().change(Page::default(), change, &[], facts);
            // That another sampler has other parameters goes without saying.
            let refused = changed.problems.into_iter().find(|p| !matches!(p.reason, Reason::NoKnob { .. }));
            refused.map_or_else(|| Ok(Chosen { id: changed.settings.sampler, knobs: changed.settings.knobs }), Err)
        };
        Ok(Self {
            evaluations: race.evaluations.clone(),
            spacing,
            samplers: race.samplers.iter().map(chosen).collect::<Result<_, _>>()?,
            reference: race.reference,
            seed: settings.seed,
        })
    }

    /// The settings that it is measured with, and which of those that a person has set have no place in it.
    pub fn without(settings: &Settings) -> (Settings, Vec<&'static str>) {
        let mut plain = settings.clone();
        let mut left_out = Vec::new();
        for row in Settings::TABLE.iter().filter(|row| WITHOUT.contains(&row.key)) {
            if row.get(&plain) != row.default() {
                left_out.push(row.key);
                // A default is a value that the row takes.
                let _ = row.set(&mut plain, &row.default());
            }
        }
        (plain, left_out)
    }

    /// On four Gaussians, whose model is exact, with the schedule of Ho et al. 2020 (arXiv 2006.11239, section 4).
    ///
    /// # Errors
    /// A sampler that there is not, a grid that cannot be built.
    pub async fn of_gaussians(&self) -> Result<Vec<Row>, CompareError> {
        let means = [[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]];
        let components = means.map(|mean| Component { weight: 1.0, mean, std: 0.5 });
        let data = Mixture::new(components.to_vec()).expect("four Gaussians are a mixture");
        let model = |x: &Cloud, at: Level| {
            let mut x0 = *x;
            x0.as_chunks_mut::<2>().0.iter_mut().for_each(|point| *point = data.denoise(point, at));
            x0
        };
        let schedule = Schedule::Discrete(Discrete::linear(1e-4, 0.02, 1000).expect("the paper's betas"));
        let normals = TorchGenerator::new(self.seed.into()).randn_f64(2 * POINTS);
        let z: Cloud = std::array::from_fn(|i| normals[i]);
        let noise = || Box::new(BrownianPath::new(self.seed.into())) as Box<dyn Noise<Cloud>>;
        let rms = |x: Cloud| Box::pin(std::future::ready(Ok(x.rms()[0]))) as Reading<'_>;
        let spacing = self.spacing.clone();
        let task = Task { schedule: &schedule, spacing, model: &model, z, noise: &noise, rms: &rms };
        self.table(self.race(&task)).await
    }
}

impl Chosen {
    /// The method with its tuning.
    fn tuned<X: Latent + 'static>(&self) -> Result<(Method<X>, Tuning), CompareError> {
        let method = method::<X>(&self.id).ok_or_else(|| CompareError::NoSampler(self.id.clone()))?;
        let set = method.knobs.iter().filter_map(|knob| Some((knob, *self.knobs.get(knob.id)?)));
        let tuning = set.fold(Tuning::default(), |tuning, (knob, value)| tuning.with(knob, value));
        Ok((method, tuning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(samplers: &[&str], evaluations: &[usize]) -> Result<Vec<Row>, CompareError> {
        let samplers = samplers.iter().map(|id| Chosen { id: (*id).to_owned(), ..Chosen::default() }).collect();
        let spacing = "log-snr".parse().expect("a spacing");
        let comparison = Comparison {
            evaluations: evaluations.to_vec(),
            spacing,
            samplers,
            reference: Reference::Steps(200),
            seed: 7,
        };
        pollster::block_on(comparison.of_gaussians())
    }

    #[test]
    fn more_evaluations_lead_nearer_and_a_higher_order_faster() {
        let rows = rows(&["ddim", "dpmpp-2m", "dopri5"], &[3, 10, 40, 100]).expect("rows");
        let [adaptive] = rows.iter().filter(|row| row.id == "dopri5").collect::<Vec<_>>()[..] else {
            panic!("{rows:?}")
        };
        assert_eq!(adaptive.found[0], None, "one step of dopri5 takes more than three evaluations");
        assert!(rows.iter().all(|row| row.found[3].is_some()), "{rows:?}");
        for row in &rows {
            let found: Vec<f64> = row.found.iter().flatten().map(|(_, distance)| *distance).collect();
            assert!(found.windows(2).all(|pair| pair[1] < pair[0]), "{row:?}");
        }
        let at_40 = |id| rows.iter().find(|row| row.id == id).and_then(|row| row.found[2]).expect("a distance").1;
        assert!(at_40("dpmpp-2m") < 0.2 * at_40("ddim"), "{rows:?}");
    }

    #[test]
    fn rows_stand_in_the_given_order_and_knobs_act() {
        let ids = |samplers: &[&str]| rows(samplers, &[5]).expect("rows").iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&["heun", "ddim", "euler"]), ["heun", "ddim", "euler"]);
        let order = |order: f64| {
            let samplers = vec![Chosen { id: "deis".to_owned(), knobs: [("order", order)].into() }];
            let spacing = "log-snr".parse().expect("a spacing");
            let comparison =
                Comparison { evaluations: vec![20], spacing, samplers, reference: Reference::Steps(200), seed: 7 };
            pollster::block_on(comparison.of_gaussians()).expect("a row")[0].found[0].expect("a distance").1
        };
        assert!(order(3.0) < 0.5 * order(1.0));
    }

    #[test]
    fn an_unknown_sampler_is_named() {
        let message = rows(&["heun", "nope"], &[5]).expect_err("it is refused").to_string();
        assert_eq!(message, "There is no sampler \"nope\"; `unnoise list` names them.");
    }
}
