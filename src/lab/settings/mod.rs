//! What the laboratory shows, and the share link that carries it: `#lab&key=value&…`.

#[cfg(test)]
mod tests;
mod values;

pub use values::{Cooling, Field, Guide, Model, OBJECTIVES, Pane, View};

use super::data::{self, OWN, Own};
use super::process::{Curve, Kind, Process};
use super::{Law, Towards};
use crate::denoise::Prediction;
use crate::math::ScheduleError;
use crate::settings::problem::{number, one_of};
use crate::settings::{Problem, Reason, pairs_of};
use std::ops::RangeInclusive;
use values::{OFF_OR_ON, choice, id, numbers};

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
}

impl Settings {
    /// Keys that a link always has; the others only where they are not at their default.
    pub const ALWAYS: [&str; 2] = ["data", "seed"];
    pub const DEPTH: RangeInclusive<usize> = 1..=6;
    pub const WIDTH: RangeInclusive<usize> = 8..=512;
    pub const LR: RangeInclusive<f64> = 1e-6..=1.0;
    pub const BATCH: RangeInclusive<usize> = 8..=4096;
    /// An average that never moves would be no average.
    pub const EMA: RangeInclusive<f64> = 0.0..=0.999999;
    pub const TRAIN_STEPS: RangeInclusive<usize> = 0..=1_000_000;
    pub const STEPS: RangeInclusive<usize> = 1..=1000;
    pub const PARTICLES: RangeInclusive<usize> = 16..=10_000;
    pub const GUIDANCE: RangeInclusive<f64> = 0.0..=10.0;
    pub const CLOCK: RangeInclusive<f64> = 0.0..=1.0;
    /// Of both coordinates.
    pub const PLACE: RangeInclusive<f64> = -100.0..=100.0;
    pub const MOST_PLACES: usize = 8;

    /// Reads a share link: a whole address, or only its hash. Unknown keys are left alone. A value that cannot be used
    /// keeps its default and is named in the list of problems.
    pub fn from_link(link: &str) -> (Self, Vec<Problem>) {
        let mut settings = Self::default();
        let pairs = pairs_of(link);
        let mut problems: Vec<_> = pairs.iter().filter_map(|(key, value)| settings.set(key, value).err()).collect();
        problems.extend(settings.fit());
        (settings, problems)
    }

    /// The hash that [`from_link`](Self::from_link) reads back to these settings.
    pub fn to_link(&self) -> String {
        let (mut pairs, silent) = (self.pairs(), Self::default().pairs());
        pairs.retain(|pair| Self::ALWAYS.contains(&pair.0) || !silent.contains(pair));
        // Every value is made of letters, digits and the marks that stand in a hash as they are.
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("&{key}={value}")).collect();
        format!("#lab{}", pairs.concat())
    }

    /// Every key with its value as [`set`](Self::set) takes it, in the order of a link.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let pane = |i: usize| self.panes[i].as_ref().map_or_else(|| Pane::NONE.to_owned(), Pane::to_string);
        vec![
            ("data", self.data.clone()),
            ("points", self.points.pack()),
            ("process", id(&Kind::ALL, &self.process)),
            ("curve", numbers::join(self.curve.values())),
            ("model", id(&Model::ALL, &self.model)),
            ("objective", id(&OBJECTIVES, &self.objective)),
            ("depth", self.depth.to_string()),
            ("width", self.width.to_string()),
            ("lr", self.lr.to_string()),
            ("batch", self.batch.to_string()),
            ("ema", self.ema.to_string()),
            ("train-steps", self.train_steps.to_string()),
            ("train-seed", self.train_seed.to_string()),
            ("pane1", pane(0)),
            ("pane2", pane(1)),
            ("pane3", pane(2)),
            ("pane4", pane(3)),
            ("particles", self.particles.to_string()),
            ("seed", self.seed.to_string()),
            ("class", self.class.map_or_else(|| "-1".to_owned(), |class| class.to_string())),
            ("guide", id(&Guide::ALL, &self.guide)),
            ("guidance", self.guidance.to_string()),
            ("view", id(&View::ALL, &self.view)),
            ("field", id(&Field::ALL, &self.field)),
            ("heat", id(&OFF_OR_ON, &self.heat)),
            ("clock", self.clock.to_string()),
            ("temperature", self.cooling.line()),
            ("cooling", self.cooling.drawn().map(numbers::join).unwrap_or_default()),
            ("places", numbers::join(self.places.as_flattened())),
        ]
    }

    /// Sets what `key` of a link names; an unknown key changes nothing.
    ///
    /// # Errors
    /// The value is not one that the key takes; nothing is changed.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        self.try_set(key, value).map_err(|reason| problem(key, value, reason))
    }

    fn try_set(&mut self, key: &str, value: &str) -> Result<(), Reason> {
        match key {
            "data" if value == OWN || data::set(value).is_some() => self.data = value.to_owned(),
            "data" => return Err(one_of(data::sets().iter().map(|set| set.id).chain([OWN]))),
            "points" => self.points = values::points(value)?,
            "process" => self.process = choice(value, &Kind::ALL)?,
            "curve" => self.curve = values::curve(value)?,
            "model" => self.model = choice(value, &Model::ALL)?,
            "objective" => self.objective = choice(value, &OBJECTIVES)?,
            "depth" => self.depth = number(value, Self::DEPTH)?,
            "width" => self.width = number(value, Self::WIDTH)?,
            "lr" => self.lr = number(value, Self::LR)?,
            "batch" => self.batch = number(value, Self::BATCH)?,
            "ema" => self.ema = number(value, Self::EMA)?,
            "train-steps" => self.train_steps = number(value, Self::TRAIN_STEPS)?,
            "train-seed" => self.train_seed = number(value, 0..=u32::MAX)?,
            "pane1" => self.panes[0] = values::pane(value)?,
            "pane2" => self.panes[1] = values::pane(value)?,
            "pane3" => self.panes[2] = values::pane(value)?,
            "pane4" => self.panes[3] = values::pane(value)?,
            "particles" => self.particles = number(value, Self::PARTICLES)?,
            "seed" => self.seed = number(value, 0..=u32::MAX)?,
            "class" => self.class = values::class(value)?,
            "guide" => self.guide = choice(value, &Guide::ALL)?,
            "guidance" => self.guidance = number(value, Self::GUIDANCE)?,
            "view" => self.view = choice(value, &View::ALL)?,
            "field" => self.field = choice(value, &Field::ALL)?,
            "heat" => self.heat = choice(value, &OFF_OR_ON)?,
            "clock" => self.clock = number(value, Self::CLOCK)?,
            "temperature" => self.cooling.set_line(value)?,
            "cooling" => self.cooling.set_drawn(value)?,
            "places" => self.places = values::places(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes back what the other settings leave no place for: one's own data without points, a class that the data has
    /// not, panes of which none is there.
    pub fn fit(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let default = Self::default();
        if self.data == OWN && self.points.is_empty() {
            problems.push(problem("points", "", values::POINTS));
            self.data = default.data;
        }
        let classes = self.law().classes();
        if let Some(class) = self.class.filter(|class| *class >= classes) {
            let to = (classes - 1).to_string();
            problems.push(problem("class", &class.to_string(), Reason::Range { from: "-1".to_owned(), to }));
            self.class = None;
        }
        if self.panes.iter().all(Option::is_none) {
            problems.push(problem("pane1", Pane::NONE, values::PANE));
            self.panes = default.panes;
        }
        problems
    }

    /// The law of the data.
    pub fn law(&self) -> Law {
        data::law(&self.data, &self.points)
    }

    /// The forward process.
    ///
    /// # Errors
    /// None for settings that [`from_link`](Self::from_link) made.
    pub fn process(&self) -> Result<Process, ScheduleError> {
        Process::new(self.process, &self.curve)
    }

    /// Where guidance leads, if a class is asked for.
    pub fn towards(&self) -> Option<Towards> {
        self.class.map(|class| Towards { class, scale: self.guidance })
    }
}

/// A value that may be pages long is shown by its beginning.
fn problem(key: &str, value: &str, reason: Reason) -> Problem {
    const SHOWN: usize = 40;
    let cut = value.char_indices().nth(SHOWN).map_or(value.to_owned(), |(end, _)| format!("{}…", &value[..end]));
    Problem { key: key.to_owned(), value: cut, reason }
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
        }
    }
}
