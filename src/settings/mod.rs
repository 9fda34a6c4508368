//! What a run is made of: the table of its settings, the links that carry them, and the rules of what fits what.

mod axis;
mod fit;
mod grid;
mod idle;
mod levels;
pub(crate) mod link;
mod model;
mod page;
mod path;
mod preset;
pub(crate) mod problem;
mod race;
mod rows;
mod size;
mod start;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod value;
mod values;
mod walk;

pub use axis::Axis;
pub use fit::Facts;
pub use grid::{Cell, MOST_CELLS, Measured, stand_in};
pub use levels::Levels;
pub use link::{Link, Linked};
pub use model::{Origin, Repository, own_model};
pub use page::{Backend, Page, Show};
pub use path::{Leg, Path, Way};
pub use preset::{Checked, Defaults, Listed};
pub use problem::{Problem, Reason};
pub use race::{Race, Reference};
pub(crate) use rows::LAB_PAGE;
pub use rows::{PAGE, TABLE};
pub use start::{Start, StartPicture};
pub use table::{Field, Row, Shown};
pub use value::Value;
pub use walk::{Stop, Walk};

use crate::math::{Latent, Spacing};
use crate::picture::Placing;
use crate::samplers::{Method, Tuning, method};
use problem::unknown_sampler;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Everything that decides the pictures of a run, besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Name of the model's folder, or what an [`Origin`] is read from.
    pub model: String,
    /// What to draw, for a model that reads texts.
    pub prompt: String,
    /// What to keep away from, likewise.
    pub negative: String,
    /// Share of the way from the prompt or the class to another one, within [`Settings::SHARE`].
    pub blend: f64,
    /// The prompt that it is on the way to, of a model that reads texts.
    pub blend_prompt: String,
    /// The class that it is on the way to, of a model with classes.
    pub blend_class: usize,
    /// How brackets of the prompts are read.
    pub weighting: Weighting,
    /// Id of a row of the sampler table.
    pub sampler: String,
    /// Steps of the grid, within [`Settings::STEPS`]; a schedule that is a typed list has its own number.
    pub steps: usize,
    /// Which noise levels the run visits.
    pub schedule: Levels,
    /// Seed of image 0; image `i` has `seed + i`.
    pub seed: u32,
    /// Share of the way from each image's noise to that of `variation_seed`, within [`Settings::SHARE`].
    pub variation: f64,
    /// Seed of the noise that image 0 is on the way to; image `i` has `variation_seed + i`.
    pub variation_seed: u32,
    /// Number of images, within [`Settings::IMAGES`].
    pub images: usize,
    /// Height and width of a picture, within [`Settings::SIDE`]; `None` is the model's own.
    pub size: Option<[usize; 2]>,
    /// The class each image is asked for.
    pub class: Class,
    /// Classifier-free guidance scale within [`Settings::GUIDANCE`]; 1 is the conditional model without guidance.
    pub guidance: f64,
    /// Which way guidance pushes.
    pub guide: Guide,
    /// How far perpendicular guidance pushes away, within [`Settings::PERPENDICULAR`].
    pub perp_weight: f64,
    /// Share of the guided picture's contrast that is brought back to the unguided one's, within [`Settings::SHARE`].
    pub rescale: f64,
    /// The least and the largest noise-to-signal ratio at which guidance acts.
    pub guidance_range: [f64; 2],
    /// Scale of a classifier's gradient, within [`Settings::CLASSIFIER`]; at 0 no classifier is asked.
    pub classifier: f64,
    /// Bound of the model's estimates.
    pub clip: Clip,
    /// Where the noise of stochastic samplers comes from.
    pub noise: Source,
    /// Share of the run that changes a picture given as a start, within [`Settings::SHARE`]; 1 forgets it entirely.
    pub strength: f64,
    /// How the steps of latents are shown.
    pub preview: Preview,
    /// The picture that the run begins with.
    pub start: Start,
    /// How a picture that is given in another shape is brought to the model's size.
    pub placing: Placing,
    /// What the run goes on from, where it is a branch of another one.
    pub from: Path,
    /// What was turned, by the id of its [`Knob`](crate::samplers::Knob); the others stand where the method's row has them.
    pub knobs: BTreeMap<&'static str, f64>,
}

/// Which way guidance pushes, and what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guide {
    /// Away from the model without a label (classifier-free guidance).
    Cfg,
    /// The same estimate, but with the noise of the model without a label (CFG++).
    CfgPlusPlus,
    /// Away from that part of a second class, or of the negative prompt, that is perpendicular to the first.
    Perpendicular(Option<usize>),
}

/// How brackets in a prompt are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighting {
    /// As characters.
    None,
    /// As AUTOMATIC1111's web UI reads them: `(a)`, `[a]` and `(a:1.3)` are weights.
    A1111,
}

/// How the steps of latents are shown; the last one is always decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// Estimates are decoded in runs of few steps, the rest is as with `Linear`.
    Auto,
    /// By a linear map, which costs nothing beside a step.
    Linear,
    /// Decoded.
    Decode,
}

/// What becomes of estimates beyond the model's range of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clip {
    /// What the model's card says.
    Model,
    /// Nothing.
    Off,
    /// They are cut off.
    Range,
    /// Each picture is shrunk until only its 0.5 % most extreme values are cut off (dynamic thresholding).
    Dynamic,
}

/// Where the noise of stochastic samplers comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A fresh draw a step, as torch draws it: the pictures of diffusers.
    Stream,
    /// A Brownian path: more steps follow the same path more finely, so that the picture stays the same.
    Brownian,
}

/// The class each image is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Image `i` gets class `i` modulo the number of classes.
    All,
    /// No label.
    None,
    /// Every image gets this one.
    One(usize),
}

impl Settings {
    pub const STEPS: RangeInclusive<usize> = 1..=1000;
    pub const IMAGES: RangeInclusive<usize> = 1..=64;
    pub const SIDE: RangeInclusive<usize> = 8..=2048;
    pub const GUIDANCE: RangeInclusive<f64> = 0.0..=20.0;
    /// What CFG++ is made for; larger values are allowed.
    pub const CFG_PP: RangeInclusive<f64> = 0.0..=1.0;
    /// The guidance that CFG++ begins with.
    pub const CFG_PP_GUIDANCE: f64 = 0.6;
    pub const CLASSIFIER: RangeInclusive<f64> = 0.0..=20.0;
    pub const PERPENDICULAR: RangeInclusive<f64> = 0.0..=5.0;
    pub const SHARE: RangeInclusive<f64> = 0.0..=1.0;
    pub const RATIO: RangeInclusive<f64> = 0.0..=f64::INFINITY;
    /// The strength that a start picture is given until a person chooses one: half of it stays to be seen.
    pub const START_STRENGTH: f64 = 0.6;
    /// Larger guidance is allowed, but never looks good.
    pub const SLIDER_END: f64 = 8.0;

    /// The settings whose first image is image `i` of these.
    #[must_use]
    pub fn from_image(&self, i: usize) -> Self {
        let [seed, variation_seed] = [self.seed, self.variation_seed].map(|seed| seed.wrapping_add(i as u32));
        Self { seed, variation_seed, from: self.from.after_images(i), ..self.clone() }
    }

    /// The hash of a link that reads back to these settings.
    pub fn to_link(&self) -> String {
        self.write_link(&Page::default())
    }

    /// The same to a model with these facts: without classes, what speaks of them is left out.
    pub fn to_link_of(&self, facts: Facts) -> String {
        let acts = |row: &Row<Self>| match row.needs {
            Some("classes") => facts.classes > 0,
            Some("guidance") => facts.classes > 0 || facts.text,
            _ => true,
        };
        self.write_link_of(&Page::default(), acts)
    }

    /// The parameters of the method: those that are set, and the method's own defaults.
    pub fn tuning<X>(&self, method: &Method<X>) -> Tuning {
        let set = method.knobs.iter().filter_map(|knob| Some((knob, *self.knobs.get(knob.id)?)));
        set.fold(Tuning::default(), |tuning, (knob, value)| tuning.with(knob, value))
    }

    /// The row of the sampler table for [`Settings::sampler`].
    ///
    /// # Errors
    /// No row has that id: the settings were not made by a link.
    pub fn method<X: Latent + 'static>(&self) -> Result<Method<X>, Reason> {
        method(&self.sampler).ok_or_else(|| unknown_sampler(&self.sampler))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "fashion-mnist".to_owned(),
            prompt: String::new(),
            negative: String::new(),
            blend: 0.0,
            blend_prompt: String::new(),
            blend_class: 0,
            weighting: Weighting::None,
            sampler: "dpmpp-2m".to_owned(),
            steps: 20,
            schedule: Spacing::Trailing.into(),
            seed: 7,
            variation: 0.0,
            variation_seed: 0,
            images: 16,
            size: None,
            class: Class::All,
            guidance: 2.0,
            guide: Guide::Cfg,
            perp_weight: 1.0,
            rescale: 0.0,
            guidance_range: [0.0, f64::INFINITY],
            classifier: 0.0,
            clip: Clip::Model,
            noise: Source::Stream,
            strength: 1.0,
            preview: Preview::Auto,
            start: Start::Noise,
            placing: Placing::MIDDLE,
            from: Path::default(),
            knobs: BTreeMap::new(),
        }
    }
}
