//! A settings table: one row a setting. Links, the command line, the catalogue and the page's form are made of the rows.

use super::problem::{Problem, Reason, one_of};
use super::value::Value;
use std::ops::RangeInclusive;

/// A setting of `S`: its key, what it takes, where its value lies in `S`, and how a form shows it.
pub struct Row<S: 'static> {
    /// Key in links and, after two dashes, on the command line.
    pub key: &'static str,
    pub field: Field<S>,
    /// What it is, in a line of the command line's help.
    pub about: &'static str,
    /// The part of a form that it belongs to.
    pub section: &'static str,
    pub shown: Shown,
    /// What the sampler or the model must have for it to act.
    pub needs: Option<&'static str>,
    /// Whether it is a text of a person's own, in which every character counts.
    pub free: bool,
    /// Whether every link has it; the others are written only where they are not at their default.
    pub always: bool,
}

/// What a setting takes, and how it is read from `S` and written to it.
pub enum Field<S: 'static> {
    Whole {
        min: i64,
        max: i64,
        get: fn(&S) -> i64,
        set: fn(&mut S, i64),
    },
    Number {
        min: f64,
        max: f64,
        get: fn(&S) -> f64,
        set: fn(&mut S, f64),
    },
    /// One of a list of words.
    Choice {
        options: fn() -> Vec<&'static str>,
        get: fn(&S) -> String,
        set: Parse<S>,
    },
    /// Several numbers or words in one text.
    List {
        get: fn(&S) -> String,
        set: Parse<S>,
    },
    Text {
        get: fn(&S) -> String,
        set: Parse<S>,
    },
}

/// Sets what a text says; where it cannot be used, nothing is changed.
pub type Parse<S> = fn(&mut S, &str) -> Result<(), Reason>;

/// How a form shows a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// A slider beside a field, in steps of `step`; it stops at `end` where larger values are allowed but rarely wanted.
    Slider {
        step: f64,
        end: Option<f64>,
    },
    Field,
    Select,
    /// A control of its own, or none.
    Own,
}

impl<S: 'static> Row<S> {
    const fn new(key: &'static str, field: Field<S>, shown: Shown) -> Self {
        Self { key, field, about: "", section: "", shown, needs: None, free: false, always: false }
    }

    pub const fn whole(key: &'static str, [min, max]: [i64; 2], get: fn(&S) -> i64, set: fn(&mut S, i64)) -> Self {
        Self::new(key, Field::Whole { min, max, get, set }, Shown::Field)
    }

    pub const fn number(
        key: &'static str,
        range: RangeInclusive<f64>,
        get: fn(&S) -> f64,
        set: fn(&mut S, f64),
    ) -> Self {
        Self::new(key, Field::Number { min: *range.start(), max: *range.end(), get, set }, Shown::Field)
    }

    pub const fn choice(
        key: &'static str,
        options: fn() -> Vec<&'static str>,
        get: fn(&S) -> String,
        set: Parse<S>,
    ) -> Self {
        Self::new(key, Field::Choice { options, get, set }, Shown::Select)
    }

    pub const fn list(key: &'static str, get: fn(&S) -> String, set: Parse<S>) -> Self {
        Self::new(key, Field::List { get, set }, Shown::Own)
    }

    pub const fn text(key: &'static str, get: fn(&S) -> String, set: Parse<S>) -> Self {
        Self::new(key, Field::Text { get, set }, Shown::Own)
    }

    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub const fn section(self, section: &'static str) -> Self {
        Self { section, ..self }
    }

    pub const fn shown(self, shown: Shown) -> Self {
        Self { shown, ..self }
    }

    pub const fn slider(self, step: f64) -> Self {
        Self { shown: Shown::Slider { step, end: None }, ..self }
    }

    pub const fn slider_to(self, step: f64, end: f64) -> Self {
        Self { shown: Shown::Slider { step, end: Some(end) }, ..self }
    }

    pub const fn needs(self, needs: &'static str) -> Self {
        Self { needs: Some(needs), ..self }
    }

    pub const fn free(self) -> Self {
        Self { free: true, ..self }
    }

    pub const fn always(self) -> Self {
        Self { always: true, ..self }
    }

    pub fn get(&self, settings: &S) -> Value {
        match &self.field {
            Field::Whole { get, .. } => Value::Number(get(settings) as f64),
            Field::Number { get, .. } => Value::Number(get(settings)),
            Field::Choice { get, .. } | Field::List { get, .. } | Field::Text { get, .. } => Value::Text(get(settings)),
        }
    }

    /// # Errors
    /// The value is not one that the setting takes; nothing is changed.
    pub fn set(&self, settings: &mut S, value: &Value) -> Result<(), Problem> {
        self.try_set(settings, value).map_err(|reason| Problem::new(self.key, value, reason))
    }

    fn try_set(&self, settings: &mut S, value: &Value) -> Result<(), Reason> {
        match &self.field {
            Field::Whole { min, max, set, .. } => set(settings, value.whole(*min..=*max)?),
            Field::Number { min, max, set, .. } => set(settings, value.number(*min..=*max)?),
            Field::Choice { set, .. } | Field::List { set, .. } | Field::Text { set, .. } => {
                set(settings, &value.to_string())?;
            }
        }
        Ok(())
    }

    /// Whether it acts only on models with classes.
    pub fn of_classes(&self) -> bool {
        matches!(self.needs, Some("classes" | "guidance"))
    }

    /// Its kind, as a catalogue names it.
    pub fn kind(&self) -> &'static str {
        match self.field {
            Field::Whole { .. } => "whole",
            Field::Number { .. } => "number",
            Field::Choice { .. } => "choice",
            Field::List { .. } => "list",
            Field::Text { .. } => "text",
        }
    }

    /// The least and the largest number that it takes, if it takes numbers.
    pub fn limits(&self) -> Option<[f64; 2]> {
        match self.field {
            Field::Whole { min, max, .. } => Some([min as f64, max as f64]),
            Field::Number { min, max, .. } => Some([min, max]),
            _ => None,
        }
    }

    /// The words that it takes, if those are all that it takes.
    pub fn options(&self) -> Option<Vec<&'static str>> {
        match self.field {
            Field::Choice { options, .. } => Some(options()),
            _ => None,
        }
    }
}

impl<S: Default> Row<S> {
    pub fn default(&self) -> Value {
        self.get(&S::default())
    }
}

/// A function that sets a field to what another reads from a text.
macro_rules! set {
    ($field:ident, $read:expr) => {
        |settings, text| {
            settings.$field = $read(text)?;
            Ok(())
        }
    };
}
pub(crate) use set;

/// The value that a list of choices has under this name.
pub(crate) fn choice<T: Copy>(name: &str, all: &[(&'static str, T)]) -> Result<T, Reason> {
    let known = || one_of(name, all.iter().map(|(id, _)| *id));
    all.iter().find(|(id, _)| *id == name).map(|(_, value)| *value).ok_or_else(known)
}

/// The name of a value in a list of choices that has them all.
pub(crate) fn name<T: PartialEq>(all: &[(&'static str, T)], value: &T) -> String {
    all.iter().find(|(_, one)| one == value).map(|(id, _)| (*id).to_owned()).unwrap_or_default()
}

pub(crate) fn names<T>(all: &[(&'static str, T)]) -> Vec<&'static str> {
    all.iter().map(|(id, _)| *id).collect()
}
