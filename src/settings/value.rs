//! A value on its way between a setting and a link, a command line or JavaScript.

use super::problem::Reason;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::RangeInclusive;

/// A number or a text. What comes from a link or a command line is text until its row has read it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Text(String),
}

impl Value {
    /// # Errors
    /// It is no whole number, or lies outside `range`.
    pub fn whole(&self, range: RangeInclusive<i64>) -> Result<i64, Reason> {
        let value = match self {
            Self::Number(value) if value.fract() == 0.0 => Some(*value as i64),
            Self::Number(_) => None,
            Self::Text(text) => text.parse().ok(),
        };
        let out = || Reason::Whole { from: *range.start(), to: *range.end() };
        value.filter(|value| range.contains(value)).ok_or_else(out)
    }

    /// # Errors
    /// It is no number, or lies outside `range`.
    pub fn number(&self, range: RangeInclusive<f64>) -> Result<f64, Reason> {
        let value = match self {
            Self::Number(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
        };
        let out = || Reason::range(*range.start(), *range.end());
        value.filter(|value| range.contains(value)).ok_or_else(out)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => value.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

/// An infinite number is the text `inf`, as in links: JSON has none.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(value) if value.is_finite() => serializer.serialize_f64(*value),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Number(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
