//! Samplers beside each other: how far each of them ends from its limit, by the number of model evaluations.

use super::convergence::{Task, TaskError, steps_within};
use crate::denoise::Denoiser;
use crate::denoise::ideal::{Component, Mixture};
use crate::math::noise::BrownianPath;
use crate::math::{Discrete, Latent, Level, Noise, Schedule, Spacing, TorchGenerator};
use crate::samplers::{Method, Tuning, method, methods};
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
    /// Steps of the run that stands for the limit.
    pub reference: usize,
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
    /// After at most each of the numbers of evaluations; `None` where even one step takes more.
    pub distances: Vec<Option<f64>>,
}

/// Why samplers cannot be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    #[error("There is no sampler \"{id}\"{hint}; `unnoise list` names them.", id = .0, hint = meant(.0))]
    NoSampler(String),
    #[error(transparent)]
    Task(#[from] TaskError),
    #[cfg(all(feature = "autodiff", not(target_family = "wasm")))]
    #[error(transparent)]
    Session(#[from] crate::session::SessionError),
}

/// What may have been meant by an id.
fn meant(id: &str) -> String {
    let known: Vec<_> = methods::<f64>().iter().map(|m| m.id).collect();
    nearest(id, known).map_or(String::new(), |meant| format!(" (did you mean {meant}?)"))
}

/// Families whose methods have a limit as their steps grow: the ODE's end, or that of the SDE along one Brownian path.
const FAMILIES: [&str; 6] = ["ode", "multistep", "singlestep", "adaptive", "ancestral", "sde"];

/// The method whose many steps stand for the end of the ODE, which every deterministic method has as its limit.
const LIMIT: &str = "dpmpp-2m";

/// Points of the plane that are compared together where the data are Gaussians.
pub const POINTS: usize = 256;

/// Standard deviation of the four Gaussians' data in each coordinate: means of 2 on either side, and 0.5 around them.
pub const GAUSSIANS_STD: f64 = 2.0615528128088303;

/// Steps of the grid that an adaptive method reads the ends of; the finest grid ends where the others do.
const FINEST: usize = 1000;

/// An adaptive method is given the loosest of these tolerances that uses the evaluations up.
const TOLERANCES: [f64; 12] = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 1e-4, 1e-5];

type Cloud = [f64; 2 * POINTS];

impl Comparison {
    /// On four Gaussians, whose model is exact, with the schedule of Ho et al. 2020 (arXiv 2006.11239, section 4).
    ///
    /// # Errors
    /// A sampler that there is not, a grid that cannot be built.
    pub fn of_gaussians(&self) -> Result<Vec<Row>, CompareError> {
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
        let rms = |x: &Cloud| x.rms()[0];
        self.rows(&Task {
            schedule: &schedule,
            spacing: self.spacing.clone(),
            model: &model,
            z,
            noise: &noise,
            rms: &rms,
        })
    }

    /// On any task with this spacing and seed.
    ///
    /// # Errors
    /// A sampler that there is not, a grid that cannot be built, an adaptive method that gave up.
    pub fn rows<X: Latent + 'static>(&self, task: &Task<'_, X>) -> Result<Vec<Row>, CompareError> {
        let chosen: Vec<(Method<X>, Tuning)> = match &self.samplers[..] {
            [] => {
                let all = methods::<X>().into_iter().filter(|m| FAMILIES.contains(&m.family));
                all.map(|m| (m, Tuning::default())).collect()
            }
            some => some.iter().map(Chosen::tuned).collect::<Result<_, _>>()?,
        };
        let limit = method::<X>(LIMIT).expect("a row of the table");
        let of_ode = task.end(&limit, Tuning::default(), self.reference)?.x;
        let row = |(method, tuning): (Method<X>, Tuning)| {
            let draws = method.stochastic_with(&tuning);
            let own = draws.then(|| task.end(&method, tuning.clone(), self.reference)).transpose()?;
            let reference = own.as_ref().map_or(&of_ode, |end| &end.x);
            let distances = self.evaluations.iter().map(|n| distance((&method, &tuning), task, *n, reference));
            Ok(Row { id: method.id, distances: distances.collect::<Result<_, TaskError>>()? })
        };
        chosen.into_iter().map(row).collect()
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

/// The distance from `reference` after at most `evaluations`.
fn distance<X: Latent + 'static>(
    (method, tuning): (&Method<X>, &Tuning),
    task: &Task<'_, X>,
    evaluations: usize,
    reference: &X,
) -> Result<Option<f64>, TaskError> {
    if method.on_grid().is_none() {
        return adaptive_distance((method, tuning), task, evaluations, reference);
    }
    let plain = crate::samplers::method::<f64>(method.id).expect("the table is the same for every latent");
    let Some(steps) = steps_within(&plain, task.schedule, &task.spacing, evaluations) else { return Ok(None) };
    let end = task.end(method, tuning.clone(), steps)?;
    Ok(Some(task.distance(&end.x, reference)))
}

fn adaptive_distance<X: Latent + 'static>(
    (method, tuning): (&Method<X>, &Tuning),
    task: &Task<'_, X>,
    evaluations: usize,
    reference: &X,
) -> Result<Option<f64>, TaskError> {
    let mut best = None;
    for tolerance in TOLERANCES {
        let set = [("tolerance", tolerance), ("absolute-tolerance", 0.1 * tolerance)];
        let knobs = set.into_iter().filter_map(|(id, value)| Some((method.knob(id)?, value)));
        let tuning = knobs.fold(tuning.clone(), |tuning, (knob, value)| tuning.with(knob, value));
        let end = task.end(method, tuning, FINEST)?;
        if end.evaluations > evaluations {
            break;
        }
        best = Some(task.distance(&end.x, reference));
    }
    Ok(best)
}

#[cfg(all(feature = "autodiff", not(target_family = "wasm")))]
mod of_model {
    use super::{CompareError, Comparison, Row};
    use crate::backend::{self, ImageNoise};
    use crate::eval::convergence::Task;
    use crate::math::noise::BrownianPath;
    use crate::math::{Latent, Noise};
    use crate::pipeline::Pipeline;
    use crate::session;
    use crate::settings::Settings;
    use burn::tensor::{Device, Tensor};

    impl Comparison {
        /// On the pictures of a network that `settings` want, with their classes, guidance and clipping. The distance is the
        /// largest of any picture; infinite where the device failed or a value is NaN.
        ///
        /// # Errors
        /// As [`rows`](Self::rows), and settings that do not fit the model.
        pub fn of_model(
            &self,
            model: &Pipeline,
            settings: &Settings,
            device: &Device,
        ) -> Result<Vec<Row>, CompareError> {
            let (network, images) = (session::network(model, settings)?, settings.images);
            let [channels, height, width] = model.shape_of(settings);
            let z =
                ImageNoise::new(self.seed, images).normal(&Tensor::zeros([images, channels, height, width], device));
            let noise = || Box::new(BrownianPath::new(self.seed.into())) as Box<dyn Noise<Tensor<4>>>;
            let rms = |x: &Tensor<4>| {
                let each = pollster::block_on(backend::read(x.rms().max_dims(&[1, 2, 3])));
                let largest =
                    |each: Vec<f32>| each.into_iter().reduce(|a, b| if a.total_cmp(&b).is_gt() { a } else { b });
                each.ok().and_then(largest).filter(|rms| !rms.is_nan()).map_or(f64::INFINITY, f64::from)
            };
            let (schedule, spacing) = (&model.schedule, self.spacing.clone());
            self.rows(&Task { schedule, spacing, model: &*network, z, noise: &noise, rms: &rms })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(samplers: &[&str], evaluations: &[usize]) -> Result<Vec<Row>, CompareError> {
        let samplers = samplers.iter().map(|id| Chosen { id: (*id).to_owned(), ..Chosen::default() }).collect();
        let spacing = "log-snr".parse().expect("a spacing");
        Comparison { evaluations: evaluations.to_vec(), spacing, samplers, reference: 200, seed: 7 }.of_gaussians()
    }

    #[test]
    fn more_evaluations_lead_nearer_and_a_higher_order_faster() {
        let rows = rows(&["ddim", "dpmpp-2m", "dopri5"], &[3, 10, 40, 100]).expect("rows");
        let [adaptive] = rows.iter().filter(|row| row.id == "dopri5").collect::<Vec<_>>()[..] else {
            panic!("{rows:?}")
        };
        assert_eq!(adaptive.distances[0], None, "one step of dopri5 takes more than three evaluations");
        assert!(rows.iter().all(|row| row.distances[3].is_some()), "{rows:?}");
        for row in &rows {
            let found: Vec<f64> = row.distances.iter().flatten().copied().collect();
            assert!(found.windows(2).all(|pair| pair[1] < pair[0]), "{row:?}");
        }
        let at_40 = |id| rows.iter().find(|row| row.id == id).and_then(|row| row.distances[2]).expect("a distance");
        assert!(at_40("dpmpp-2m") < 0.2 * at_40("ddim"), "{rows:?}");
    }

    #[test]
    fn rows_stand_in_the_given_order_and_knobs_act() {
        let ids = |samplers: &[&str]| rows(samplers, &[5]).expect("rows").iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&["heun", "ddim", "euler"]), ["heun", "ddim", "euler"]);
        let order = |order: f64| {
            let samplers = vec![Chosen { id: "deis".to_owned(), knobs: [("order", order)].into() }];
            let spacing = "log-snr".parse().expect("a spacing");
            let comparison = Comparison { evaluations: vec![20], spacing, samplers, reference: 200, seed: 7 };
            comparison.of_gaussians().expect("a row")[0].distances[0].expect("a distance")
        };
        assert!(order(3.0) < 0.5 * order(1.0));
    }

    #[test]
    fn an_unknown_sampler_is_named() {
        let message = rows(&["heun", "nope"], &[5]).expect_err("it is refused").to_string();
        assert_eq!(message, "There is no sampler \"nope\"; `unnoise list` names them.");
    }
}
