//! The lab in the page's worker. Points cross as `x, y, x, y, ..` in the units of the plane.

mod discrete;
mod latent;
mod objects;
mod own;
mod scene;

use super::fault::{fault, fault_with, one};
use super::stream::Frames;
use super::{given, object, taken};
use crate::lab::classifier::{ClassifierLearner, LearnedClassifier};
use crate::lab::learn::{LearnError, Learner};
use crate::lab::learned::Learned;
use crate::lab::numbers::{self, Accuracy, Floor, Terms};
use crate::lab::run::{RunError, scores};
use crate::lab::settings::{Guide, Model, View};
use crate::lab::{Annealing, Cloud, CloudNoise, Deepest, Distances, Energy, Settings, chain, closed_form};
use crate::math::noise::node_seed;
use crate::math::{Latent, Level, TorchGenerator};
use crate::samplers::GaveUp;
use async_stream::try_stream;
use futures_util::StreamExt;
use js_sys::{Float32Array, Float64Array};
use objects::{Bound, Changed, Classified, Cooled, Data, Inversion, LabFrame, Likelihood, RaceFloor, RaceRow, Trained};
use scene::Scene;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use tsify::Ts;
use wasm_bindgen::prelude::*;

/// Half of the side of the square that annealing starts in.
const SPREAD: f64 = 4.0;

/// Data points that the round trip is averaged over.
const POINTS: usize = 64;

/// What settings of the lab show, and the networks that learn it.
#[wasm_bindgen]
pub struct Lab {
    scene: RefCell<Rc<Scene>>,
    net: RefCell<Net>,
    classifier: RefCell<Option<ClassifierLearner>>,
}

/// The network of a scene.
#[derive(Default)]
enum Net {
    /// Not trained yet.
    #[default]
    None,
    /// Trained elsewhere.
    Given(Learned),
    Learning(Box<Learner>),
}

#[wasm_bindgen]
impl Lab {
    #[wasm_bindgen(constructor)]
    pub fn new(settings: Ts<super::Settings>) -> Result<Lab, JsValue> {
        let scene = RefCell::new(Rc::new(Scene::new(taken(&settings)?)?));
        Ok(Self { scene, net: RefCell::default(), classifier: RefCell::default() })
    }

    /// Takes over other settings.
    pub fn change(&self, settings: Ts<super::Settings>) -> Result<Ts<Changed>, JsValue> {
        let scene = Scene::new(taken(&settings)?)?;
        let retrain = !scene.trains_alike(&self.scene());
        if retrain {
            self.net.take();
        }
        self.classifier.borrow_mut().take_if(|classifier| !scene.trusts(classifier));
        self.scene.replace(Rc::new(scene));
        given(&Changed { retrain, classes: self.scene().distribution.classes() })
    }

    /// `n` points of the data with their classes.
    pub fn data(&self, n: usize) -> Result<Ts<Data>, JsValue> {
        let scene = self.scene();
        let data = scene.distribution.draw(n, scene.settings.seed);
        given(&Data { x: array(&data.x), label: data.label.into() })
    }

    /// Rows of `t`, alpha, sigma and log-SNR at `count` equal times of the clock.
    pub fn levels(&self, count: usize) -> Float64Array {
        let scene = self.scene();
        let last = count.saturating_sub(1).max(1) as f64;
        let row = |i: usize| {
            let at = scene.process.level(i as f64 / last);
            [at.t, at.alpha, at.sigma, 2.0 * at.lambda()]
        };
        Float64Array::from((0..count).map(row).collect::<Vec<_>>().as_flattened())
    }

    /// The data at a time of the clock, each point with the same noise at every time.
    pub fn noised(&self, clock: f64) -> Float32Array {
        let scene = self.scene();
        // Another stream than that of the data.
        let seed = node_seed(scene.settings.seed.into(), 1) as u32;
        array(&closed_form(&scene.particles(), scene.process.level(clock), seed))
    }

    /// The data and each of `steps` steps of the forward chain, one after the other.
    pub fn chain(&self, steps: usize) -> Float32Array {
        let scene = self.scene();
        let mut noise = CloudNoise::new(node_seed(scene.settings.seed.into(), 2) as u32);
        let frames = chain(&scene.process, scene.particles(), steps.min(*Settings::STEPS.end()), &mut noise);
        let all: Vec<f32> = frames.flat_map(|(_, x)| x.to_f32()).collect();
        Float32Array::from(&all[..])
    }

    /// `ln p_t` in each cell of the plane, row-major from the top left; tilted, up to a constant, where a class is asked for. What
    /// is shown without a clock is the data without any noise.
    pub fn density(&self, clock: f64, cells: usize, half: f64) -> Float32Array {
        let scene = self.scene();
        let still = matches!(scene.settings.view, View::Anneal | View::Numbers);
        let at = scene.distribution.at(if still { Level::CLEAN } else { scene.process.level(clock) });
        let log = |x: [f64; 2]| scene.settings.towards().map_or_else(|| at.log_density(&x), |to| at.tilted(to, &x));
        let values: Vec<f32> = Scene::plane(cells, half).centres().map(|x| log(x) as f32).collect();
        Float32Array::from(&values[..])
    }

    /// The score in the middle of each cell: of the `exact` model, of the `learned` ones, or their `difference`.
    pub fn field(&self, clock: f64, cells: usize, half: f64, which: &str) -> Result<Float32Array, JsValue> {
        let scene = self.scene();
        let at = scene.process.level(clock);
        let x = Cloud(Scene::plane(cells, half).centres().collect());
        let exact = || scores(&*scene.model(None, None), &x, at);
        let classifier = self.guide();
        let learned = || Ok::<_, JsValue>(scores(&*scene.model(Some(&self.learned()?), classifier.as_ref()), &x, at));
        Ok(array(&match which {
            "learned" => learned()?,
            "difference" => learned()?.mix(1.0, &exact(), -1.0),
            _ => exact(),
        }))
    }

    /// Trains the network by `steps` steps.
    pub fn train(&self, steps: usize) -> Result<Option<Ts<Trained>>, JsValue> {
        let mut net = self.net.borrow_mut();
        if !matches!(*net, Net::Learning(_)) {
            *net = Net::Learning(Box::new(self.scene().learner()?));
        }
        let Net::Learning(learner) = &mut *net else { return Ok(None) };
        let at = learner.train(steps).map_err(learn_fault)?;
        given(&Trained { step: at.step, loss: at.train, held_out: at.held_out }).map(Some)
    }

    /// Trains the classifier by `steps` steps.
    pub fn classify(&self, steps: usize) -> Result<Ts<Classified>, JsValue> {
        let mut classifier = self.classifier.borrow_mut();
        if classifier.is_none() {
            *classifier = self.scene().classifier()?;
        }
        let Some(learner) = &mut *classifier else { return given(&Classified::default()) };
        learner.train(steps);
        let (step, steps) = (learner.steps(), ClassifierLearner::ENOUGH);
        let done = step >= steps;
        let (held_out, exact) = done.then(|| learner.loss()).unzip();
        given(&Classified { step: Some(step), steps: Some(steps), done, held_out, exact })
    }

    /// Forgets what the network learned.
    pub fn reset(&self) {
        self.net.take();
    }

    /// The averaged weights as a safetensors file.
    pub fn weights(&self) -> Result<Vec<u8>, JsValue> {
        self.learned()?.weights().map_err(|e| fault("weights", &e))
    }

    /// How the network is built, as [`use_weights`](Self::use_weights) reads it.
    pub fn config(&self) -> Result<String, JsValue> {
        Ok(self.learned()?.config())
    }

    /// Takes weights that were trained elsewhere for the objective, the data and the process of the settings.
    pub fn use_weights(&self, config: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let scene = self.scene();
        let given = Learned::load(config, bytes, scene.settings.objective, &scene.distribution);
        let given = given.map_err(|e| fault("weights", &e))?;
        self.net.replace(Net::Given(given));
        Ok(())
    }

    /// The steps of a pane, 1 to 4.
    pub fn run(&self, pane: usize) -> Result<LabRun, JsValue> {
        let scene = self.scene();
        let pane = scene.pane(pane)?.clone();
        let (learned, classifier) = (self.chosen()?, self.guide());
        Ok(LabRun(Frames::new(try_stream! {
            let z = scene.noise();
            let model = scene.model(learned.as_ref(), classifier.as_ref());
            let mut frames = pin!(scene.stage(&*model).frames(&pane, &z));
            while let Some(frame) = frames.next().await {
                yield object(&LabFrame::new(&frame.map_err(run_fault)?, &scene.process))?;
            }
        })))
    }

    /// Cools chains down the landscape of the data, in all steps of the curve or, `fast`, in a tenth of them.
    pub fn anneal(&self, fast: bool) -> LabRun {
        let scene = self.scene();
        LabRun(Frames::new(try_stream! {
            let Settings { cooling, particles, seed, .. } = &scene.settings;
            let energy = Energy::new(&scene.distribution, scene.settings.towards());
            let deepest = Deepest::of(&energy);
            let steps = if fast { cooling.steps().div_ceil(10) } else { cooling.steps() };
            let mut generator = TorchGenerator::new(node_seed((*seed).into(), 3));
            let places = generator.rand_f64(2 * particles);
            let start = Cloud(places.as_chunks().0.to_vec()).map(|x: &[f64; 2]| x.map(|u| SPREAD * (2.0 * u - 1.0)));
            for cooled in Annealing::new(&energy, cooling, steps, start, *seed) {
                yield object(&Cooled::new(&cooled, deepest.share(&cooled.x)))?;
            }
        }))
    }

    /// The likelihood of points under the model without guidance, in nats.
    pub fn likelihood(&self, points: &[f32]) -> Result<Vec<Ts<Likelihood>>, JsValue> {
        let scene = self.scene();
        let learned = self.chosen()?;
        let world = (&scene.distribution, &scene.process);
        let row = |x: &[f64; 2]| {
            let known = match &learned {
                None => numbers::likelihood(world, scene.distribution.mixture(), *x, Accuracy::EXACT),
                Some(net) => numbers::likelihood(world, &net.conditioned(None), *x, Accuracy::learned(&scene.process)),
            };
            let known = known.map_err(|e| fault("run", &e))?;
            given(&Likelihood { x: x[0], y: x[1], ode: known.ode, analytic: known.analytic, nfe: known.nfe })
        };
        Cloud::from_f32(points).0.iter().map(row).collect()
    }

    /// The terms of the variational bound of the model without guidance, in nats a point.
    pub fn bound(&self, steps: usize) -> Result<Ts<Bound>, JsValue> {
        let scene = self.scene();
        let learned = self.chosen()?;
        let (world, seed) = ((&scene.distribution, &scene.process), scene.settings.seed);
        let terms = match &learned {
            None => numbers::bound(world, scene.distribution.mixture(), steps, seed),
            Some(net) => numbers::bound(world, &net.conditioned(None), steps, seed),
        };
        let terms = terms.map_err(|e| run_fault(e.into()))?;
        let (total, Terms { terms, error, entropy }) = (terms.nats(), terms);
        given(&Bound { terms, total, error, entropy })
    }

    /// How far data is from other data, as the distances of [`race`](Self::race) measure it.
    pub fn floor(&self) -> Result<Ts<RaceFloor>, JsValue> {
        let scene = self.scene();
        let wanted = scene.wanted();
        let race = scene.race(&wanted);
        let Floor { low, high } = race.floor();
        given(&RaceFloor {
            points: race.points,
            seeds: numbers::SEEDS,
            sliced_wasserstein: [low.sliced_wasserstein, high.sliced_wasserstein],
            energy: [low.energy, high.energy],
        })
    }

    /// How far the samples of each pane's sampler are from data, by evaluations of the model.
    pub fn race(&self) -> Result<LabRun, JsValue> {
        let scene = self.scene();
        let (learned, classifier) = (self.chosen()?, self.guide());
        Ok(LabRun(Frames::new(try_stream! {
            let model = scene.model(learned.as_ref(), classifier.as_ref());
            let (stage, wanted) = (scene.stage(&*model), scene.wanted());
            let race = scene.race(&wanted);
            let mut seen = Vec::new();
            for pane in scene.settings.panes.iter().flatten() {
                if seen.contains(&&pane.sampler) {
                    continue;
                }
                seen.push(&pane.sampler);
                for evaluations in numbers::EVALUATIONS {
                    let Some(runner) = numbers::within(pane, &scene.process, evaluations) else { continue };
                    let (Distances { sliced_wasserstein, energy }, nfe) =
                        race.run(&stage, &runner).await.map_err(run_fault)?;
                    yield object(&RaceRow { sampler: pane.sampler.clone(), nfe, sliced_wasserstein, energy })?;
                }
            }
        })))
    }

    /// How well these panes, 1 to 4, bring data back that the ODE turned into noise.
    pub async fn inversion(&self, panes: Vec<usize>) -> Result<Vec<Ts<Inversion>>, JsValue> {
        let scene = self.scene();
        let (learned, classifier) = (self.chosen()?, self.guide());
        let model = scene.model(learned.as_ref(), classifier.as_ref());
        let stage = scene.stage(&*model);
        let points = scene.distribution.draw(POINTS, scene.settings.seed).x;
        let z = numbers::to_noise(&stage, &points).map_err(|e| run_fault(e.into()))?;
        let mut trips = Vec::new();
        for pane in panes {
            let trip = numbers::round_trip(&stage, scene.pane(pane)?, &points, &z).await.map_err(run_fault)?;
            trips.push(given(&Inversion { error_max: trip.most, error_mean: trip.mean, nfe: trip.evaluations })?);
        }
        Ok(trips)
    }
}

/// A run of the lab under way. Nothing is computed ahead of the item that is awaited; `free()` between two items cancels
/// it.
#[wasm_bindgen]
pub struct LabRun(Frames);

#[wasm_bindgen]
impl LabRun {
    /// The next item; `undefined` at the end. A pane gives frames, annealing cooled chains, a race its rows.
    #[wasm_bindgen(unchecked_return_type = "LabFrame | LatentFrame | Cooled | RaceRow | undefined")]
    pub async fn next(&self) -> Result<JsValue, JsValue> {
        self.0.next().await
    }
}

impl Lab {
    fn scene(&self) -> Rc<Scene> {
        self.scene.borrow().clone()
    }

    /// The network as it is: what was trained here, what was given, or the weights that training starts from.
    fn learned(&self) -> Result<Learned, JsValue> {
        match &*self.net.borrow() {
            Net::None => Ok(self.scene().learner()?.learned()),
            Net::Given(learned) => Ok(learned.clone()),
            Net::Learning(learner) => Ok(learner.learned()),
        }
    }

    /// The network, if the settings choose it.
    fn chosen(&self) -> Result<Option<Learned>, JsValue> {
        let wanted = self.scene().settings.model == Model::Learned;
        wanted.then(|| self.learned()).transpose()
    }

    /// The classifier as far as it is trained, if the settings choose it.
    fn guide(&self) -> Option<LearnedClassifier> {
        let wanted = self.scene().settings.guide == Guide::LearnedClassifier;
        self.classifier.borrow().as_ref().filter(|_| wanted).map(ClassifierLearner::learned)
    }
}

fn array(cloud: &Cloud) -> Float32Array {
    Float32Array::from(&cloud.to_f32()[..])
}

fn run_fault(e: RunError) -> JsValue {
    let message = e.to_string();
    match e {
        RunError::NotFinite { step } => fault_with("lab-not-finite", &message, one("step", step)),
        RunError::GaveUp(GaveUp { attempts, .. }) => fault_with("lab-gave-up", &message, one("attempts", attempts)),
        e @ RunError::Grid(_) => fault("run", &e),
    }
}

fn learn_fault(e: LearnError) -> JsValue {
    match e {
        LearnError::NotFinite { step } => fault_with("lab-diverged", &e.to_string(), one("step", step)),
        e => fault("training", &e),
    }
}
