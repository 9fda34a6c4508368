//! What the laboratory shows, and the share link that carries it: `#lab&key=value&…`.

mod rows;
#[cfg(test)]
mod tests;
mod values;

pub use rows::TABLE;
pub use values::{Cooling, Field, Guide, Model, OBJECTIVES, Pane, View};

use super::data::{self, OWN, Own};
use super::discrete::{LISTS, Masking, Words};
use super::process::{Curve, Kind, Process};
use super::{Distribution, Towards};
use crate::denoise::Prediction;
use crate::math::ScheduleError;
use crate::settings::{Checked, LAB_PAGE, Link, Linked, Page, Problem, Reason, Row, Value};
use std::ops::RangeInclusive;

/// Everything that decides what the laboratory shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Id of a row of [`data::sets`], or [`OWN`].
    pub data: String,
    /// The points of [`OWN`].
    pub points: Own,
    pub process: Kind,
    /// The noise of [`Kind::Curve`].
    pub curve: Curve,
    pub model: Model,
    /// What the network is trained to output.
    pub objective: Prediction,
    /// Hidden layers of the network, and numbers in each.
    pub depth: usize,
    pub width: usize,
    /// Learning rate.
    pub lr: f64,
    /// Points in a training step.
    pub batch: usize,
    /// Decay of the average of the weights; 0 keeps none.
    pub ema: f64,
    /// Steps that the network of the link was trained for; 0 takes the shipped one.
    pub train_steps: usize,
    /// Seed of the first weights and of every draw of training.
    pub train_seed: u32,
    /// What runs side by side, from the same noise.
    pub panes: [Option<Pane>; 4],
    /// How much noise the reverse SDE draws: 1 all of its own, 0 none, which is the probability-flow ODE.
    pub eta: f64,
    pub particles: usize,
    /// Seed of the starting noise and of the data that is drawn.
    pub seed: u32,
    /// The class that is asked for.
    pub class: Option<usize>,
    pub guide: Guide,
    /// How far guidance goes: 1 is the class itself.
    pub guidance: f64,
    pub view: View,
    pub field: Field,
    /// Whether the density is painted.
    pub heat: bool,
    /// Where the scrub bar stands: 0 at the data, 1 at the noise.
    pub clock: f64,
    pub cooling: Cooling,
    /// Where the likelihood is asked for, [`Settings::MOST_PLACES`] at most.
    pub places: Vec<[f64; 2]>,
    /// The standard deviation that latents are scaled to.
    pub latent_std: f64,
    /// Id of one of the [`LISTS`] of words.
    pub words: &'static str,
    pub masking: Masking,
    /// Steps that masked words are shown again in.
    pub unmask_steps: usize,
}

impl Settings {
    pub const DEPTH: RangeInclusive<usize> = 1..=6;
    pub const WIDTH: RangeInclusive<usize> = 8..=512;
    pub const LR: RangeInclusive<f64> = 1e-6..=1.0;
    pub const BATCH: RangeInclusive<usize> = 8..=4096;
    /// An average that never moves would be no average.
    pub const EMA: RangeInclusive<f64> = 0.0..=0.999999;
    pub const TRAIN_STEPS: RangeInclusive<usize> = 0..=1_000_000;
    pub const STEPS: RangeInclusive<usize> = 1..=1000;
    pub const ETA: RangeInclusive<f64> = 0.0..=1.0;
    pub const PARTICLES: RangeInclusive<usize> = 16..=10_000;
    pub const GUIDANCE: RangeInclusive<f64> = 0.0..=10.0;
    pub const CLOCK: RangeInclusive<f64> = 0.0..=1.0;
    /// Of both coordinates.
    pub const PLACE: RangeInclusive<f64> = -100.0..=100.0;
    pub const MOST_PLACES: usize = 8;
    pub const LATENT_STD: RangeInclusive<f64> = 0.01..=100.0;
    /// In 64 steps hardly two of five letters are shown at once.
    pub const UNMASK_STEPS: RangeInclusive<usize> = 1..=64;

    /// Reads a link of the lab: a whole address, or only its hash. A value that cannot be used keeps its default and is named.
    pub fn read_link(link: &str) -> Checked<Self> {
        let link = Link::new(link);
        let mut checked = Self::checked(link.pairs);
        checked.problems.splice(0..0, link.problem);
        checked
    }

    /// Settings by their keys, as a page keeps them, made to fit.
    pub fn checked(record: Vec<(String, Value)>) -> Checked<Self> {
        let (mut settings, mut page) = (Self::default(), Page::default());
        let mut problems = settings.take(&mut page, record);
        problems.extend(settings.fit());
        Checked { settings, page, problems }.with_used()
    }

    /// Changes one setting as a person does, `None` to its default. A value that cannot be used changes nothing and is named.
    pub fn change(self, page: Page, (key, value): (&str, Option<Value>)) -> Checked<Self> {
        let (mut settings, mut next_page) = (self.clone(), page.clone());
        let value = value.or_else(|| Some(Self::row(key)?.default()));
        let mut problems = match value {
            Some(value) => settings.take(&mut next_page, vec![(key.to_owned(), value)]),
            None => {
                next_page.reset(key);
                Vec::new()
            }
        };
        if !problems.is_empty() {
            return Checked { settings: self, page, problems }.with_used();
        }
        problems.extend(settings.fit());
        Checked { settings, page: next_page, problems }.with_used()
    }

    /// Takes back what the other settings leave no place for: one's own data without points, a class that the data has
    /// not, panes of which none is there.
    pub fn fit(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let default = Self::default();
        if self.data == OWN && self.points.is_empty() {
            problems.push(Problem::new("points", "", values::POINTS));
            self.data = default.data;
        }
        let classes = self.distribution().classes();
        if let Some(class) = self.class.filter(|class| *class >= classes) {
            problems.push(Problem::new("class", class, Reason::range(-1.0, (classes - 1) as f64)));
            self.class = None;
        }
        if self.panes.iter().all(Option::is_none) {
            problems.push(Problem::new("pane1", Pane::NONE, values::PANE));
            self.panes = default.panes;
        }
        problems
    }

    /// The distribution of the data.
    pub fn distribution(&self) -> Distribution {
        data::distribution(&self.data, &self.points)
    }

    /// The words that are masked.
    pub fn words(&self) -> Words {
        Words::of(self.words)
    }

    /// The forward process.
    ///
    /// # Errors
    /// None for settings that a link made.
    pub fn process(&self) -> Result<Process, ScheduleError> {
        Process::new(self.process, &self.curve)
    }

    /// Where guidance leads, if a class is asked for.
    pub fn towards(&self) -> Option<Towards> {
        self.class.map(|class| Towards { class, scale: self.guidance })
    }
}

impl Linked for Settings {
    const VIEW: Option<&'static str> = Some("lab");
    const TABLE: &'static [Row<Self>] = TABLE;
    const PAGE: &'static [Row<Page>] = LAB_PAGE;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: "four-gaussians".to_owned(),
            points: Own::default(),
            process: Kind::Linear,
            curve: Curve::default(),
            model: Model::Exact,
            objective: Prediction::Epsilon,
            depth: 3,
            width: 128,
            lr: 1e-3,
            batch: 256,
            ema: 0.995,
            train_steps: 0,
            train_seed: 0,
            panes: [Pane::new("ddim", 20), Pane::new("ddpm", 50), None, None],
            eta: 1.0,
            particles: 1000,
            seed: 0,
            class: None,
            guide: Guide::Free,
            guidance: 1.0,
            view: View::Reverse,
            field: Field::None,
            heat: true,
            clock: 1.0,
            cooling: Cooling::default(),
            places: vec![[2.0, 2.0], [-2.0, -1.5], [0.0, 0.0], [3.0, -3.0]],
            latent_std: 1.0,
            words: LISTS[0].0,
            masking: Masking::Linear,
            unmask_steps: 4,
        }
    }
}
