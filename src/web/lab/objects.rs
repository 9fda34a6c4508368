//! What the lab gives to JavaScript.

use super::array;
use crate::lab::{self, Cloud, Process, discrete, run};
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

/// The autoencoder of the data.
#[derive(Serialize, Tsify)]
pub struct LatentCurve {
    /// The points of the curve, which is all that the decoder reaches.
    #[serde(with = "preserve")]
    #[tsify(type = "Float32Array")]
    pub curve: Float32Array,
    /// What latents are multiplied by.
    pub scale: f64,
    /// Their standard deviation before.
    pub spread: f64,
    /// Root of the mean squared distance of data from their reconstructions.
    pub error: f64,
}

/// A step in the latent: `x` is decoded.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct LatentFrame {
    #[serde(flatten)]
    frame: LabFrame,
    /// The latents and their level, -1 to 1 each way, in the picture of [`latent_density`](super::Lab::latent_density).
    #[serde(with = "preserve")]
    #[tsify(type = "Float32Array")]
    z: Float32Array,
}

impl LatentFrame {
    pub fn new(frame: &run::Frame, process: &Process, places: &Cloud) -> Self {
        Self { frame: LabFrame::new(frame, process), z: array(places) }
    }
}

/// Where points ended.
#[derive(Serialize, Tsify)]
pub struct Reached {
    /// Root of the mean squared distance from the curve.
    pub off: f64,
    /// The share that is further off than data are but once in 370.
    pub astray: f64,
    /// Distance from as many data.
    pub sliced_wasserstein: f64,
}

/// Words that are masked letter by letter.
#[derive(Serialize, Tsify)]
pub struct Masked {
    /// A letter for each number.
    pub alphabet: String,
    /// Letters of a word.
    pub length: usize,
    /// The numbers of all letters, row by row.
    #[tsify(type = "Uint8Array")]
    pub rows: ByteBuf,
    /// The time from which each of them is masked.
    pub times: Vec<f64>,
}

/// Words that are shown step by step.
#[derive(Serialize, Tsify)]
pub struct Unmasked {
    pub steps: usize,
    /// The letters before the first step and after each; 255 is one that is masked.
    #[tsify(type = "Uint8Array[]")]
    pub frames: Vec<ByteBuf>,
    /// The denoiser's share of each letter of the alphabet at each place of the first row, at the same times.
    pub guesses: Vec<Vec<f64>>,
    /// Whether the rows ended as words of the list.
    pub words: Vec<bool>,
}

/// What is exactly known of masked words, in nats a word.
#[derive(Serialize, Tsify)]
pub struct DiscreteKnown {
    /// How many words there are.
    pub words: usize,
    pub entropy: f64,
    pub steps: Vec<DiscreteSteps>,
}

/// What is exactly known of so many steps.
#[derive(Serialize, Tsify)]
pub struct DiscreteSteps {
    pub steps: usize,
    /// The bound of the negative log-likelihood.
    pub bound: f64,
    pub likelihood: f64,
    /// The share of what is drawn that are words of the list.
    pub share: f64,
}

impl From<discrete::Known> for DiscreteSteps {
    fn from(known: discrete::Known) -> Self {
        let discrete::Known { steps, bound, likelihood, words } = known;
        Self { steps, bound, likelihood, share: words }
    }
}
