//! What a branch goes on from: a step of another run, which may be a branch itself, as a link has it.
//!
//! The whole way has one model, size, number of images and start, those of the settings; the rest is each leg's own. Legs whose
//! settings are the same are one leg: where nothing was changed, nothing is begun anew.

use super::link::{Linked, free};
use super::preset::Checked;
use super::problem::{Problem, Reason};
use super::{Facts, Page, Row, Settings, Value};
use std::fmt;
use std::str::FromStr;

/// The legs before the settings' own, the first one first. Their steps rise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(Vec<Leg>);

/// A part of the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// The step at which it ends, counted from the start of the whole way.
    pub step: usize,
    /// What is of the whole way stands at its default here.
    settings: Settings,
}

/// A leg of a way as a run of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Where it begins.
    pub step: usize,
    /// Which settings differ from the leg before; of the first one the sampler and its steps.
    pub changes: Vec<(&'static str, Value)>,
    /// Those of the run up to this leg, as if it went on to its end.
    pub settings: Settings,
}

/// The settings that are of the whole way, whose keys are the names of their fields.
macro_rules! whole {
    ($($field:ident),+) => {
        const WHOLE: &[&str] = &[$(stringify!($field)),+];

        impl Settings {
            /// These settings with what is of the whole way as others have it.
            fn with_whole(&self, others: &Self) -> Self {
                let Self { $($field),+, .. } = others.clone();
                Self { $($field),+, ..self.clone() }
            }
        }
    };
}

whole!(model, images, size, strength, start, placing, preview, from);

/// Those of them that decide where the way begins, and so what lies behind a branch.
const ROOT: [&str; 5] = ["model", "size", "strength", "start", "placing"];

/// Between legs, between the parts of a leg, and between a key and its value.
const LEG: char = '/';
const PART: char = ',';
const VALUE: char = ':';
const SEPARATORS: [char; 3] = [LEG, PART, VALUE];

/// The rows of a leg's own settings.
fn own() -> impl Iterator<Item = &'static Row<Settings>> {
    super::TABLE.iter().filter(|row| !WHOLE.contains(&row.key))
}

impl Path {
    /// Most legs before the last one: each is computed again by whoever opens the link.
    pub const MOST: usize = 8;

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same for a run whose first image is image `i` of this one.
    pub(super) fn after_images(&self, i: usize) -> Self {
        Self(self.0.iter().map(|leg| Leg { settings: leg.settings.from_image(i), ..leg.clone() }).collect())
    }
}

impl Leg {
    /// Settings with what is of the whole way left out.
    fn new(step: usize, settings: &Settings) -> Self {
        Self { step, settings: settings.with_whole(&Settings::default()) }
    }

    /// A leg as it is written, after one of these settings.
    fn read(text: &str, before: &Settings) -> Result<Self, Reason> {
        let form = || Reason::Form { form: "a step and the settings before it", example: "8,sampler:ddim,steps:20" };
        let mut parts = text.split(PART);
        let step = parts.next().and_then(|step| step.parse().ok()).ok_or_else(form)?;
        let mut settings = before.clone();
        settings.knobs.clear();
        let mut pairs = Vec::new();
        for part in parts {
            let (key, value) = part.split_once(VALUE).ok_or_else(form)?;
            if WHOLE.contains(&key) {
                return Err(form());
            }
            pairs.push((key.to_owned(), Value::Text(free::unescaped(value))));
        }
        match settings.take_all(pairs) {
            Ok(()) => Ok(Self { step, settings }),
            Err(problem) => Err(Reason::Leg { setting: problem.key.into(), got: problem.value.into() }),
        }
    }
}

/// Legs with `/` between them: the step, and what differs from the leg before, or of the first leg from the default; parameters of
/// samplers are always written.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = Settings::default();
        for (i, Leg { step, settings }) in self.0.iter().enumerate() {
            if i > 0 {
                write!(f, "{LEG}")?;
            }
            write!(f, "{step}")?;
            let rows =
                own().filter(|row| row.get(settings) != row.get(&before)).map(|row| (row.key, row.get(settings)));
            for (key, value) in rows.chain(settings.others()) {
                write!(f, "{PART}{key}{VALUE}{}", free::escaped_with(&value.to_string(), &SEPARATORS))?;
            }
            before = settings.clone();
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let mut legs: Vec<Leg> = Vec::new();
        for text in text.split(LEG).filter(|text| !text.is_empty()) {
            let default = Settings::default();
            let leg = Leg::read(text, legs.last().map_or(&default, |leg| &leg.settings))?;
            if let Some(before) = legs.last().filter(|before| before.step >= leg.step) {
                return Err(Reason::LegStep { step: leg.step, before: before.step });
            }
            legs.push(leg);
        }
        if legs.len() > Self::MOST { Err(Reason::Legs { most: Self::MOST }) } else { Ok(Self(legs)) }
    }
}

impl Settings {
    /// The whole settings of each leg of the way, which go on from nothing themselves, and the step at which it ends; the last one
    /// runs to its end.
    pub fn legs(&self) -> Vec<(Self, Option<usize>)> {
        let mut legs: Vec<(Self, Option<usize>)> = Vec::new();
        let last = Leg::new(0, self).settings;
        let all = self.from.0.iter().map(|leg| (&leg.settings, Some(leg.step))).chain([(&last, None)]);
        for (settings, end) in all {
            let settings = Self { from: Path::default(), ..settings.with_whole(self) };
            match legs.last_mut().filter(|(before, _)| *before == settings) {
                Some(same) => same.1 = end,
                None => legs.push((settings, end)),
            }
        }
        legs
    }

    /// These settings as a branch of `run` that goes on from one of its steps. What decides where the way begins stays as it is
    /// there, and each such difference is named.
    ///
    /// # Errors
    /// The way would have too many legs.
    pub fn branch(mut self, run: &Self, step: usize) -> Result<Checked<Self>, Problem> {
        let mut problems = Vec::new();
        for row in ROOT.iter().filter_map(|key| Self::row(key)) {
            let (wanted, value) = (row.get(&self), row.get(run));
            if wanted != value {
                row.set(&mut self, &value)?;
                problems.push(Problem::new(row.key, wanted, Reason::WholeWay));
            }
        }
        // A step before the last leg is one of the leg that it lies on.
        let (mut legs, mut settings) = (run.from.0.clone(), Leg::new(step, run));
        if let Some(on) = legs.iter().position(|leg| leg.step >= step) {
            settings = Leg { step, ..legs[on].clone() };
            legs.truncate(on);
        }
        if Leg::new(step, &self) != settings {
            legs.push(settings);
        }
        if legs.len() > Path::MOST {
            return Err(Problem::new("from", step, Reason::Legs { most: Path::MOST }));
        }
        self.from = Path(legs);
        Ok(Checked { settings: self, page: Page::default(), problems }.with_used())
    }

    /// The legs of the way, each as the run that it would be if it went on to its end.
    pub fn ways(&self) -> Vec<Way> {
        let legs = self.legs();
        let way = |i: usize| {
            let (settings, before) = (&legs[i].0, i.checked_sub(1).map(|before| &legs[before].0));
            let rows = own().filter(|row| match before {
                Some(before) => row.get(settings) != row.get(before),
                None => ["sampler", "steps"].contains(&row.key),
            });
            let turned =
                settings.others().into_iter().filter(|other| !before.is_some_and(|b| b.others().contains(other)));
            let changes = rows.map(|row| (row.key, row.get(settings))).chain(turned).collect();
            let legs_before = legs[..i].iter().filter_map(|(leg, end)| Some(Leg::new((*end)?, leg))).collect();
            let begins = before.and(legs[i.saturating_sub(1)].1).unwrap_or_default();
            Way { step: begins, changes, settings: Self { from: Path(legs_before), ..settings.clone() } }
        };
        (0..legs.len()).map(way).collect()
    }

    /// A way whose every leg fits the model.
    pub fn fit_path(&mut self, facts: Option<Facts>) -> Option<Problem> {
        if self.from.is_empty() {
            return None;
        }
        let legs = self.legs();
        let before = &legs[..legs.len() - 1];
        let unfit = before.iter().find_map(|(leg, _)| leg.clone().fitted(facts).err())?;
        let from = std::mem::take(&mut self.from);
        Some(Problem::new("from", from, Reason::Leg { setting: unfit.key.into(), got: unfit.value.into() }))
    }
}

#[cfg(test)]
mod tests;
