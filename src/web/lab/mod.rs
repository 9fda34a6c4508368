//! The door of the laboratory: what `www/lab/worker.js` calls. Points go through it as `x, y, x, y, ..` in the units of the
//! plane.

mod scene;
mod words;

use super::{Receiver, error, object};
use crate::lab::classifier::{ClassifierLearner, LearnedClassifier};
use crate::lab::learn::{LearnError, Learner};
use crate::lab::learned::Learned;
use crate::lab::numbers::{self, Accuracy};
use crate::lab::run::{Frame, RunError, scores};
use crate::lab::settings::{Guide, Model, View};
use crate::lab::{Annealing, Cloud, CloudNoise, Deepest, Distances, Energy, Process, Settings, chain, closed_form};
use crate::math::noise::node_seed;
use crate::math::{Latent, Level, TorchGenerator};
use crate::samplers::GaveUp;
use js_sys::{Float32Array, Float64Array, Function, Uint8Array};
use scene::Scene;
use serde_json::json;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Half of the side of the square that annealing starts in.
const SPREAD: f64 = 4.0;

/// Data points that the bound and the inversion are averaged over.
const POINTS: usize = 64;

/// What a link shows, and the networks that learn it.
#[wasm_bindgen]
pub struct Lab {
    scene: RefCell<Rc<Scene>>,
    net: RefCell<Net>,
    classifier: RefCell<Option<ClassifierLearner>>,
}

/// The network of a scene.
#[derive(Default)]
enum Net {
    /// Nothing was asked of it yet.
    #[default]
    None,
    /// Trained elsewhere.
    Given(Learned),
    Learning(Box<Learner>),
}

#[wasm_bindgen]
impl Lab {
    /// The laboratory of a link.
    #[wasm_bindgen(constructor)]
    pub fn new(link: &str) -> Result<Lab, JsValue> {
        let scene = RefCell::new(Rc::new(Scene::new(link)?));
        Ok(Self { scene, net: RefCell::default(), classifier: RefCell::default() })
    }

    /// Takes over another link: JSON `{retrain, classes}`, whether the network of the old one is gone, and how many classes
    /// the data have.
    pub fn change(&self, link: &str) -> Result<String, JsValue> {
        let scene = Scene::new(link)?;
        let retrain = !scene.trains_alike(&self.scene());
        if retrain {
            self.net.take();
        }
        self.classifier.borrow_mut().take_if(|classifier| !scene.trusts(classifier));
        self.scene.replace(Rc::new(scene));
        let classes = self.scene().law.classes();
        Ok(json!({"retrain": retrain, "classes": classes}).to_string())
    }

    /// `n` points of the data with their classes: `{x, label}`.
    pub fn data(&self, n: usize) -> Result<JsValue, JsValue> {
        let scene = self.scene();
        let data = scene.law.draw(n, scene.settings.seed);
        object([("x", array(&data.x).into()), ("label", Uint8Array::from(&data.label[..]).into())])
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
        let at = scene.law.at(if still { Level::CLEAN } else { scene.process.level(clock) });
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
        let classifier = self.led();
        let learned = || Ok::<_, JsValue>(scores(&*scene.model(Some(&self.learned()?), classifier.as_ref()), &x, at));
        Ok(array(&match which {
            "learned" => learned()?,
            "difference" => learned()?.mix(1.0, &exact(), -1.0),
            _ => exact(),
        }))
    }

    /// Trains the network of the link by `steps` steps: JSON `{step, loss, held_out}`.
    pub fn train(&self, steps: usize) -> Result<String, JsValue> {
        let mut net = self.net.borrow_mut();
        if !matches!(*net, Net::Learning(_)) {
            *net = Net::Learning(Box::new(self.scene().learner()?));
        }
        let Net::Learning(learner) = &mut *net else { return Ok("null".to_owned()) };
        let at = learner.train(steps).map_err(learn_error)?;
        Ok(json!({"step": at.step, "loss": at.train, "held_out": at.held_out}).to_string())
    }

    /// Trains the classifier of the link by `steps` steps: JSON `{step, steps, done}`; `{held_out, exact}` stand beside them
    /// once it is, the cross entropy of the classifier and of the exact one.
    pub fn classify(&self, steps: usize) -> Result<String, JsValue> {
        let mut classifier = self.classifier.borrow_mut();
        if classifier.is_none() {
            *classifier = self.scene().classifier()?;
        }
        let Some(learner) = &mut *classifier else { return Ok(json!({"done": true}).to_string()) };
        learner.train(steps);
        let (step, steps) = (learner.steps(), ClassifierLearner::ENOUGH);
        if step < steps {
            return Ok(json!({"step": step, "steps": steps, "done": false}).to_string());
        }
        let (held_out, exact) = learner.loss();
        Ok(json!({"step": step, "steps": steps, "done": true, "held_out": held_out, "exact": exact}).to_string())
    }

    /// Forgets what the network learned.
    pub fn reset(&self) {
        self.net.take();
    }

    /// The averaged weights as a safetensors file.
    pub fn weights(&self) -> Result<Vec<u8>, JsValue> {
        self.learned()?.weights().map_err(|e| error("weights", &e, None))
    }

    /// Takes weights that were trained elsewhere for the objective, the data and the process of the link.
    pub fn use_weights(&self, config: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let scene = self.scene();
        let given = Learned::load(config, bytes, scene.settings.objective, &scene.law);
        let given = given.map_err(|e| error("weights", &e, None))?;
        self.net.replace(Net::Given(given));
        Ok(())
    }

    /// Runs a pane, 1 to 4. `on_frame` gets each frame and answers a promise of whether to go on. Resolves to `true` when
    /// the run finished, `false` when it was stopped.
    pub async fn run(&self, pane: usize, on_frame: Function) -> Result<bool, JsValue> {
        let scene = self.scene();
        let (learned, classifier) = (self.asked()?, self.led());
        let receiver = Receiver::new(on_frame);
        let each = async |frame: Frame| receiver.hand(frame_object(&frame, &scene.process)).await;
        let z = scene.noise();
        let model = scene.model(learned.as_ref(), classifier.as_ref());
        let end = scene.stage(&*model).run(scene.pane(pane)?, &z, each).await.map_err(run_error)?;
        receiver.end(end)
    }

    /// Cools chains down the landscape of the data, in all steps of the curve (`slow`) or in a tenth of them (`fast`); frames
    /// as of [`run`](Self::run).
    pub async fn anneal(&self, which: String, on_frame: Function) -> Result<bool, JsValue> {
        let scene = self.scene();
        let Settings { cooling, particles, seed, .. } = &scene.settings;
        let receiver = Receiver::new(on_frame);
        let energy = Energy::new(&scene.law, scene.settings.towards());
        let deepest = Deepest::of(&energy);
        let steps = if which == "fast" { cooling.steps().div_ceil(10) } else { cooling.steps() };
        let mut generator = TorchGenerator::new(node_seed((*seed).into(), 3));
        let places = generator.rand_f64(2 * particles);
        let start = Cloud(places.as_chunks().0.to_vec()).map(|x: &[f64; 2]| x.map(|u| SPREAD * (2.0 * u - 1.0)));
        for cooled in Annealing::new(&energy, cooling, steps, start, *seed) {
            let frame = object([
                ("step", (cooled.step as f64).into()),
                ("steps", (cooled.steps as f64).into()),
                ("temperature", cooled.temperature.into()),
                ("x", array(&cooled.x).into()),
                ("energy_mean", cooled.energy.into()),
                ("at_minimum", deepest.share(&cooled.x).into()),
            ]);
            let answer = receiver.hand(frame).await;
            if answer.is_break() {
                return receiver.end(answer);
            }
        }
        receiver.end(ControlFlow::Continue(()))
    }

    /// The likelihood of points under the model without guidance: JSON `[{x, y, ode, analytic, nfe}]`, in nats.
    pub fn likelihood(&self, points: &[f32]) -> Result<String, JsValue> {
        let scene = self.scene();
        let learned = self.asked()?;
        let world = (&scene.law, &scene.process);
        let row = |x: &[f64; 2]| {
            let known = match &learned {
                None => numbers::likelihood(world, scene.law.mixture(), *x, Accuracy::EXACT),
                Some(net) => numbers::likelihood(world, &net.told(None), *x, Accuracy::learned(&scene.process)),
            };
            let known = known.map_err(|e| error("run", &e, None))?;
            Ok(json!({"x": x[0], "y": x[1], "ode": known.ode, "analytic": known.analytic, "nfe": known.nfe}))
        };
        let rows = Cloud::from_f32(points).0.iter().map(row).collect::<Result<Vec<_>, JsValue>>()?;
        Ok(json!(rows).to_string())
    }

    /// The terms of the variational bound of the model without guidance: JSON `{terms, total, nll}`, in nats a point.
    pub fn bound(&self, steps: usize) -> Result<String, JsValue> {
        let scene = self.scene();
        let learned = self.asked()?;
        let (world, seed) = ((&scene.law, &scene.process), scene.settings.seed);
        let points = scene.law.draw(POINTS, seed).x;
        let terms = match &learned {
            None => numbers::bound(world, scene.law.mixture(), &points, steps, seed),
            Some(net) => numbers::bound(world, &net.told(None), &points, steps, seed),
        };
        let terms = terms.map_err(|e| run_error(e.into()))?;
        let total: f64 = terms.terms.iter().sum();
        Ok(json!({"terms": terms.terms, "total": total, "nll": terms.nll}).to_string())
    }

    /// How far the samples of each pane's sampler are from data, by evaluations of the model: `on_row` gets `{sampler, nfe,
    /// sliced_wasserstein, energy}` and answers as of [`run`](Self::run).
    pub async fn race(&self, on_row: Function) -> Result<bool, JsValue> {
        let scene = self.scene();
        let (learned, classifier) = (self.asked()?, self.led());
        let receiver = Receiver::new(on_row);
        let model = scene.model(learned.as_ref(), classifier.as_ref());
        let (z, data) = (scene.noise(), scene.wanted());
        let mut seen = Vec::new();
        for pane in scene.settings.panes.iter().flatten() {
            if seen.contains(&&pane.sampler) {
                continue;
            }
            seen.push(&pane.sampler);
            for evaluations in numbers::RACE {
                let Some(runner) = numbers::within(pane, &scene.process, evaluations) else { continue };
                let (x, nfe) = scene.stage(&*model).end(&runner, &z).await.map_err(run_error)?;
                let Distances { sliced_wasserstein, energy } = Distances::between(&x, &data);
                let row = object([
                    ("sampler", pane.sampler.as_str().into()),
                    ("nfe", (nfe as f64).into()),
                    ("sliced_wasserstein", sliced_wasserstein.into()),
                    ("energy", energy.into()),
                ]);
                let answer = receiver.hand(row).await;
                if answer.is_break() {
                    return receiver.end(answer);
                }
            }
        }
        receiver.end(ControlFlow::Continue(()))
    }

    /// How well data that was turned into noise comes back through a pane: JSON `{error_max, error_mean, nfe}`.
    pub async fn inversion(&self, pane: usize) -> Result<String, JsValue> {
        let scene = self.scene();
        let (learned, classifier) = (self.asked()?, self.led());
        let model = scene.model(learned.as_ref(), classifier.as_ref());
        let points = scene.law.draw(POINTS, scene.settings.seed).x;
        let trip = numbers::inversion(&scene.stage(&*model), scene.pane(pane)?, &points).await.map_err(run_error)?;
        Ok(json!({"error_max": trip.most, "error_mean": trip.mean, "nfe": trip.nfe}).to_string())
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

    /// The network, if the link asks for it.
    fn asked(&self) -> Result<Option<Learned>, JsValue> {
        let wanted = self.scene().settings.model == Model::Learned;
        wanted.then(|| self.learned()).transpose()
    }

    /// The classifier as far as it is trained, if the link asks for it.
    fn led(&self) -> Option<LearnedClassifier> {
        let wanted = self.scene().settings.guide == Guide::LearnedClassifier;
        self.classifier.borrow().as_ref().filter(|_| wanted).map(ClassifierLearner::learned)
    }
}

fn array(cloud: &Cloud) -> Float32Array {
    Float32Array::from(&cloud.to_f32()[..])
}

fn frame_object(frame: &Frame, process: &Process) -> Result<JsValue, JsValue> {
    object([
        ("step", (frame.step as f64).into()),
        ("steps", frame.steps.map_or(JsValue::NULL, |steps| (steps as f64).into())),
        ("clock", process.clock(frame.level).into()),
        ("alpha", frame.level.alpha.into()),
        ("sigma", frame.level.sigma.into()),
        ("evaluations", (frame.evaluations as f64).into()),
        ("x", array(&frame.x).into()),
        ("denoised", frame.denoised.as_ref().map_or(JsValue::UNDEFINED, |x| array(x).into())),
    ])
}

fn run_error(e: RunError) -> JsValue {
    let (code, values) = match &e {
        RunError::NotFinite { step } => ("lab-not-finite", Some(json!({"step": step}))),
        RunError::GaveUp(GaveUp { attempts, .. }) => ("lab-gave-up", Some(json!({"attempts": attempts}))),
        RunError::Grid(_) => ("run", None),
    };
    error(code, &e, values)
}

fn learn_error(e: LearnError) -> JsValue {
    let (code, values) = match &e {
        LearnError::NotFinite { step } => ("lab-diverged", Some(json!({"step": step}))),
        _ => ("training", None),
    };
    error(code, &e, values)
}
