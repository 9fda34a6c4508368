//! What the lab gives to JavaScript.

use super::array;
use crate::lab::{self, Process, run};
use js_sys::Float32Array;
use serde::Serialize;
use serde_bytes::ByteBuf;
use serde_wasm_bindgen::preserve;
use tsify::Tsify;

#[derive(Serialize, Tsify)]
pub struct Changed {
    /// Whether the network of the settings before is gone.
    pub retrain: bool,
    /// Number of classes of the data.
    pub classes: usize,
}

#[derive(Serialize, Tsify)]
pub struct Data {
    #[serde(with = "preserve")]
    #[tsify(type = "Float32Array")]
    pub x: Float32Array,
    /// The class of each point.
    #[tsify(type = "Uint8Array")]
    pub label: ByteBuf,
}

#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Trained {
    pub step: usize,
    /// Mean of the last steps.
    pub loss: f64,
    /// Of points that it is not trained on; `null` where it was not measured.
    pub held_out: Option<f64>,
}

/// How far a classifier is trained. One of a single class is always done.
#[derive(Serialize, Tsify)]
pub struct Classified {
    pub step: Option<usize>,
    pub steps: Option<usize>,
    pub done: bool,
    /// The cross entropy of the classifier on other points, once it is done.
    pub held_out: Option<f64>,
    /// That of the exact classifier.
    pub exact: Option<f64>,
}

impl Default for Classified {
    fn default() -> Self {
        Self { step: None, steps: None, done: true, held_out: None, exact: None }
    }
}

/// A step of a pane.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct LabFrame {
    step: usize,
    /// `null` where the sampler chooses its steps.
    steps: Option<usize>,
    clock: f64,
    alpha: f64,
    sigma: f64,
    /// Of the model, so far.
    evaluations: usize,
    #[serde(with = "preserve")]
    #[tsify(type = "Float32Array")]
    x: Float32Array,
}

impl LabFrame {
    pub fn new(frame: &run::Frame, process: &Process) -> Self {
        Self {
            step: frame.step,
            steps: frame.steps,
            clock: process.clock(frame.level),
            alpha: frame.level.alpha,
            sigma: frame.level.sigma,
            evaluations: frame.evaluations,
            x: array(&frame.x),
        }
    }
}

/// A step of annealing.
#[derive(Serialize, Tsify)]
pub struct Cooled {
    step: usize,
    steps: usize,
    temperature: f64,
    #[serde(with = "preserve")]
    #[tsify(type = "Float32Array")]
    x: Float32Array,
    energy_mean: f64,
    /// Share of the chains in the deepest valley.
    at_minimum: f64,
}

impl Cooled {
    pub fn new(cooled: &lab::Cooled, at_minimum: f64) -> Self {
        Self {
            step: cooled.step,
            steps: cooled.steps,
            temperature: cooled.temperature,
            x: array(&cooled.x),
            energy_mean: cooled.energy,
            at_minimum,
        }
    }
}

/// The likelihood of a point, in nats.
#[derive(Serialize, Tsify)]
pub struct Likelihood {
    pub x: f64,
    pub y: f64,
    /// By the probability-flow ODE.
    pub ode: f64,
    pub analytic: f64,
    /// Evaluations of the model.
    pub nfe: usize,
}

/// The variational bound, in nats a point.
#[derive(Serialize, Tsify)]
pub struct Bound {
    /// `L_0` to `L_T`.
    pub terms: Vec<f64>,
    pub total: f64,
    /// Standard error of the total.
    pub error: f64,
    /// Of the data, which the total is above.
    pub entropy: f64,
}

/// How far data is from other data.
#[derive(Serialize, Tsify)]
pub struct RaceFloor {
    /// Points of a sample.
    pub points: usize,
    /// Seeds that a distance is averaged over.
    pub seeds: u32,
    /// The least and the most of averages.
    pub sliced_wasserstein: [f64; 2],
    pub energy: [f64; 2],
}

/// Distances of samples from data, averaged over seeds.
#[derive(Serialize, Tsify)]
pub struct RaceRow {
    pub sampler: String,
    /// Evaluations of the model.
    pub nfe: usize,
    pub sliced_wasserstein: f64,
    pub energy: f64,
}

/// How well data comes back from noise.
#[derive(Serialize, Tsify)]
pub struct Inversion {
    pub error_max: f64,
    pub error_mean: f64,
    pub nfe: usize,
}
