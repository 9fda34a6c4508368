//! The parameters of methods, and the values that are set.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A parameter of a method: each method has its own, each with one meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knob {
    /// Kebab-case key, in links and on the command line.
    pub id: &'static str,
    pub min: f64,
    /// May be infinite.
    pub max: f64,
    /// The value of this method where none is set.
    pub default: f64,
    /// Whether it takes whole numbers only.
    pub whole: bool,
    /// The key that links had for it once.
    pub formerly: Option<&'static str>,
    /// The id of the knob that must be above 0 for this one to act.
    pub needs: Option<&'static str>,
}

impl Knob {
    /// A parameter that takes any number from `min` to `max`.
    pub const fn number(id: &'static str, min: f64, max: f64, default: f64) -> Self {
        Self { id, min, max, default, whole: false, formerly: None, needs: None }
    }

    /// A parameter that takes whole numbers from `min` to `max`.
    pub const fn whole(id: &'static str, min: usize, max: usize, default: usize) -> Self {
        Self { whole: true, ..Self::number(id, min as f64, max as f64, default as f64) }
    }

    /// The same parameter with another default.
    pub const fn at(self, default: f64) -> Self {
        Self { default, ..self }
    }

    /// The same, with the key that old links use.
    pub const fn formerly(self, key: &'static str) -> Self {
        Self { formerly: Some(key), ..self }
    }

    /// The same, acting only where `other` is above 0.
    pub const fn needs(self, other: &Self) -> Self {
        Self { needs: Some(other.id), ..self }
    }

    /// The values that it takes.
    pub const fn range(&self) -> RangeInclusive<f64> {
        self.min..=self.max
    }
}

/// Values that were set; what is not set stands at the knob's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning(BTreeMap<&'static str, f64>);

impl Tuning {
    /// The same with a knob set to `value`, which is brought into the knob's range and rounded where it must be whole.
    #[must_use]
    pub fn with(mut self, knob: &Knob, value: f64) -> Self {
        let value = value.clamp(knob.min, knob.max);
        self.0.insert(knob.id, if knob.whole { value.round() } else { value });
        self
    }

    /// The value of a knob.
    pub fn get(&self, knob: &Knob) -> f64 {
        self.0.get(knob.id).copied().unwrap_or(knob.default)
    }

    /// The value of a knob that takes whole numbers.
    pub fn whole(&self, knob: &Knob) -> usize {
        self.get(knob) as usize
    }
}
