//! The values of a link that are words or lists: how each is written, and read again.

use crate::denoise::Prediction;
use crate::lab::data::Own;
use crate::lab::process::Curve;
use crate::samplers::{Tuning, methods, sde};
use crate::settings::problem::one_of;
use crate::settings::{Reason, Value};
use std::fmt;
use std::ops::RangeInclusive;

/// Where the score comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Exact,
    Learned,
}

impl Model {
    pub const ALL: [(&'static str, Self); 2] = [("exact", Self::Exact), ("learned", Self::Learned)];
}

/// How a class is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guide {
    /// By the difference between the model with and without the class.
    Free,
    /// By the gradient of the exact classifier.
    Classifier,
    /// By that of a classifier that is trained.
    LearnedClassifier,
}

impl Guide {
    pub const ALL: [(&'static str, Self); 3] =
        [("free", Self::Free), ("classifier", Self::Classifier), ("learned-classifier", Self::LearnedClassifier)];
}

/// Which activity is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Forward,
    Reverse,
    Anneal,
    Numbers,
    /// Diffusion in the latent of an autoencoder.
    Latent,
    /// Diffusion of masked words.
    Discrete,
}

impl View {
    pub const ALL: [(&'static str, Self); 6] = [
        ("forward", Self::Forward),
        ("reverse", Self::Reverse),
        ("anneal", Self::Anneal),
        ("numbers", Self::Numbers),
        ("latent", Self::Latent),
        ("discrete", Self::Discrete),
    ];
}

/// Whose score is drawn as arrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    None,
    Exact,
    Learned,
    /// The learned one less the exact one.
    Difference,
}

impl Field {
    pub const ALL: [(&'static str, Self); 4] =
        [("none", Self::None), ("exact", Self::Exact), ("learned", Self::Learned), ("difference", Self::Difference)];
}

/// The objectives of training, by what the network outputs.
pub const OBJECTIVES: [(&str, Prediction); 5] = [
    ("epsilon", Prediction::Epsilon),
    ("x0", Prediction::Sample),
    ("v", Prediction::Velocity),
    ("score", Prediction::Score),
    ("flow", Prediction::Flow),
];

pub(super) const OFF_OR_ON: [(&str, bool); 2] = [("off", false), ("on", true)];

/// A sampler and its number of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pane {
    /// One of [`Pane::samplers`].
    pub sampler: String,
    /// Within [`Settings::STEPS`](super::Settings::STEPS).
    pub steps: usize,
}

impl Pane {
    /// What a link says of an empty pane.
    pub const NONE: &'static str = "none";

    /// The reverse SDE, with as much of its noise as the settings say.
    const REVERSE_SDE: &'static str = "reverse-sde";

    /// What runs in a pane besides the rows of the sampler table, and the row that it is, where it is one under the name
    /// that the theory gives it. Langevin dynamics at one noise level is no row, as it goes nowhere.
    pub const THEORY: [(&'static str, Option<&'static str>); 5] = [
        // Of second order, and one at `eta` 0. They are steady in the long first steps of processes that end next to pure noise, where
        // the second slope of Heun's method, divided by the little noise of the next level, throws points far off, as the rates do
        // that Euler-Maruyama takes a step by.
        ("ode", Some("dpmpp-2m")),
        (Self::REVERSE_SDE, Some("dpmpp-2m-sde")),
        ("langevin", None),
        ("annealed-langevin", Some("langevin")),
        ("predictor-corrector", Some("predictor-corrector")),
    ];

    pub(super) fn new(sampler: &str, steps: usize) -> Option<Self> {
        Some(Self { sampler: sampler.to_owned(), steps })
    }

    /// The id in the sampler table of what runs in this pane; `None` for Langevin dynamics at one noise level.
    pub fn row(&self) -> Option<&str> {
        let theory = Self::THEORY.iter().find(|(id, _)| *id == self.sampler);
        theory.map_or(Some(self.sampler.as_str()), |(_, row)| *row)
    }

    /// What the method is set to, at this share of the reverse SDE's noise.
    pub fn tuning(&self, eta: f64) -> Tuning {
        let plain = Tuning::default();
        if self.sampler == Self::REVERSE_SDE { plain.with(&sde::ETA, eta) } else { plain }
    }

    /// Every id that [`Pane::sampler`] may be.
    pub fn samplers() -> Vec<&'static str> {
        let theory = Self::THEORY.map(|(id, _)| id);
        let rows = methods::<f64>().into_iter().map(|m| m.id).filter(|id| !theory.contains(id));
        theory.into_iter().chain(rows).collect()
    }
}

impl fmt::Display for Pane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.sampler, self.steps)
    }
}

pub(super) const PANE: Reason =
    Reason::Form { form: "none, or a sampler and its 1 to 1000 steps with ~ between", example: "ddim~20" };

/// A pane from its text; `none` is an empty one.
pub(super) fn pane(value: &str) -> Result<Option<Pane>, Reason> {
    if value == Pane::NONE {
        return Ok(None);
    }
    let (sampler, steps) = value.split_once('~').ok_or(PANE)?;
    let steps = whole(steps, &super::Settings::STEPS)?;
    let known = Pane::samplers();
    if !known.contains(&sampler) {
        return Err(one_of(sampler, known));
    }
    Ok(Pane::new(sampler, steps))
}

/// The temperature of annealing at each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Cooling {
    start: f64,
    end: f64,
    steps: usize,
    /// `log10` of the temperature at equal steps, where a person drew it.
    drawn: Option<Vec<f64>>,
}

impl Default for Cooling {
    /// From 8 down to 0.05 in 400 steps.
    fn default() -> Self {
        Self { start: 8.0, end: 0.05, steps: 400, drawn: None }
    }
}

const LINE: Reason = Reason::Form {
    form: "two temperatures from 0.001 to 1000 and 1 to 10000 steps, joined by _",
    example: "8_0.05_400",
};

const DRAWN: Reason =
    Reason::Form { form: "2 to 12 logarithms of temperatures from -3 to 3, joined by _", example: "1_0_-1" };

impl Cooling {
    pub const TEMPERATURE: RangeInclusive<f64> = 1e-3..=1e3;
    pub const LOG10: RangeInclusive<f64> = -3.0..=3.0;
    pub const STEPS: RangeInclusive<usize> = 1..=10_000;
    pub const POINTS: RangeInclusive<usize> = 2..=12;

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The temperature at `u`, from 0 at the first step to 1 at the last: a geometric line from start to end, or the
    /// straight lines in `log10 T` through what was drawn.
    pub fn temperature(&self, u: f64) -> f64 {
        let ends = [self.start.log10(), self.end.log10()];
        let points = self.drawn.as_deref().unwrap_or(&ends);
        let place = u.clamp(0.0, 1.0) * (points.len() - 1) as f64;
        let i = (place as usize).min(points.len() - 2);
        let part = place - i as f64;
        libm::exp10(points[i] * (1.0 - part) + points[i + 1] * part)
    }

    /// The drawn `log10 T`.
    pub fn drawn(&self) -> Option<&[f64]> {
        self.drawn.as_deref()
    }

    pub(super) fn line(&self) -> String {
        format!("{}_{}_{}", self.start, self.end, self.steps)
    }

    pub(super) fn set_line(&mut self, value: &str) -> Result<(), Reason> {
        let mut parts = value.split('_');
        let mut next = || parts.next().ok_or(LINE);
        let temperature = |text: &str| Value::from(text).number(Self::TEMPERATURE);
        let (start, end) = (temperature(next()?)?, temperature(next()?)?);
        let steps = whole(next()?, &Self::STEPS)?;
        if parts.next().is_some() {
            return Err(LINE);
        }
        *self = Self { start, end, steps, drawn: self.drawn.take() };
        Ok(())
    }

    pub(super) fn set_drawn(&mut self, value: &str) -> Result<(), Reason> {
        let fine =
            |points: &Vec<f64>| Self::POINTS.contains(&points.len()) && points.iter().all(|v| Self::LOG10.contains(v));
        self.drawn = match value {
            "" => None,
            value => Some(numbers::split(value).filter(fine).ok_or(DRAWN)?),
        };
        Ok(())
    }
}

fn whole(text: &str, range: &RangeInclusive<usize>) -> Result<usize, Reason> {
    Ok(Value::from(text).whole(*range.start() as i64..=*range.end() as i64)? as usize)
}

/// Numbers joined by `_`, which stands in a link as it is.
pub(super) mod numbers {
    pub fn join(values: &[f64]) -> String {
        values.iter().map(f64::to_string).collect::<Vec<_>>().join("_")
    }

    pub fn split(text: &str) -> Option<Vec<f64>> {
        text.split('_').map(|part| part.parse().ok()).collect()
    }
}

pub(super) fn curve(value: &str) -> Result<Curve, Reason> {
    const CURVE: Reason = Reason::Form {
        form: "2 to 12 numbers from 0 to 1, each larger than the one before, joined by _",
        example: "0_0.15_0.5_0.85_1",
    };
    numbers::split(value).and_then(Curve::new).ok_or(CURVE)
}

pub(super) fn places(value: &str) -> Result<Vec<[f64; 2]>, Reason> {
    const PLACES: Reason =
        Reason::Form { form: "1 to 8 places, x and y of each from -100 to 100, joined by _", example: "2_2_-1.5_0" };
    let all = numbers::split(value).ok_or(PLACES)?;
    let (places, rest) = all.as_chunks();
    let fine = rest.is_empty()
        && (1..=super::Settings::MOST_PLACES).contains(&places.len())
        && all.iter().all(|v| super::Settings::PLACE.contains(v));
    if fine { Ok(places.to_vec()) } else { Err(PLACES) }
}

pub(super) const POINTS: Reason =
    Reason::Form { form: "points of one's own, at least one, as the page packs them into a link", example: "AIAIAA" };

pub(super) fn points(value: &str) -> Result<Own, Reason> {
    if value.is_empty() { Ok(Own::default()) } else { Own::unpack(value).map_err(|_| POINTS) }
}
