//! Values that cannot be used, and why.

use super::value::Value;
use crate::math::SpacingError;
use crate::samplers::methods;
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// A value that could not be used.
#[derive(Clone, Debug, PartialEq, Error, Serialize)]
pub struct Problem {
    pub key: String,
    /// As it was given; a long one is cut.
    pub value: String,
    /// The value that stands in its place, if the key has one.
    pub used: Option<Value>,
    #[serde(flatten)]
    pub reason: Reason,
}

/// Why a value could not be used. Serialized, the variant's name is the `code` and its fields stand beside it.
#[derive(Clone, Debug, PartialEq, Error, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Reason {
    #[error("a number from {from} to {to}")]
    Range { from: Value, to: Value },
    #[error("a whole number from {from} to {to}")]
    Whole { from: i64, to: i64 },
    #[error("one of {}", .known.join(", "))]
    OneOf { known: Vec<String> },
    #[error("a name of letters, digits, dots, dashes and underscores")]
    Name,
    /// Several numbers or words in one value.
    #[error("{form}, such as {example}")]
    Form { form: &'static str, example: &'static str },
    #[error("a picture as the page packs it into a link, and this one is broken; copy the whole link again")]
    Start,
    #[error("{expected}")]
    Schedule { expected: String },
    #[error("a parameter of {sampler}, which has {}", parameters(.known))]
    NoKnob { sampler: &'static str, known: Vec<&'static str> },
    /// `apart` are the samplers that tell CFG++ from plain guidance.
    #[error("plain guidance: {sampler} does not take a separate estimate of the noise, as these do: {apart}")]
    NoCfgpp { sampler: &'static str, apart: String },
    #[error("{}", classes(*.count))]
    Class { count: usize },
    /// Guidance on the scale of the other kind.
    #[error("on the scale of CFG++, 0 to 1")]
    CfgppScale,
    #[error("on the scale of plain guidance")]
    PlainScale,
    #[error("{off}, because the model was never trained without labels")]
    NoGuidance { off: Value },
    #[error("0, because there is no classifier for this model")]
    NoClassifier,
    #[error("a known key")]
    UnknownKey,
    /// A link that a mail or chat program had changed; `found` is what was repaired.
    #[error("repaired")]
    Repaired { found: Vec<&'static str> },
}

impl Problem {
    pub(crate) fn new(key: &str, value: impl fmt::Display, reason: Reason) -> Self {
        const SHOWN: usize = 80;
        let value = value.to_string();
        let value = value.char_indices().nth(SHOWN).map_or(value.clone(), |(end, _)| format!("{}…", &value[..end]));
        Self { key: key.to_owned(), value, used: None, reason }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, reason, .. } = self;
        match reason {
            Reason::NoKnob { sampler, known } => {
                write!(f, "{sampler} has no {key}; its parameters are {}", parameters(known))
            }
            Reason::UnknownKey => write!(f, "there is no setting {key}"),
            Reason::Repaired { found } => write!(f, "the link was damaged and has been repaired: {}", found.join(", ")),
            _ => write!(f, "{key} must be {reason}, got \"{value}\""),
        }
    }
}

impl Reason {
    pub(crate) fn range(from: f64, to: f64) -> Self {
        Self::Range { from: from.into(), to: to.into() }
    }
}

impl From<SpacingError> for Reason {
    fn from(error: SpacingError) -> Self {
        Self::Schedule { expected: error.to_string() }
    }
}

fn parameters(known: &[&str]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

fn classes(count: usize) -> String {
    match count {
        0 => "all or none, because the model has no classes".to_owned(),
        n => format!("one of the model's classes 0 to {}", n - 1),
    }
}

pub(crate) fn one_of<S: Into<String>>(known: impl IntoIterator<Item = S>) -> Reason {
    Reason::OneOf { known: known.into_iter().map(Into::into).collect() }
}

pub(crate) fn unknown_sampler() -> Reason {
    one_of(methods::<f64>().iter().map(|m| m.id))
}

/// A model's name becomes part of an address, so it must not lead out of the models' folder.
pub(crate) fn folder_name(value: &str) -> Result<String, Reason> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let safe = !value.is_empty() && !value.starts_with('.') && value.len() <= 100 && value.chars().all(plain);
    if safe { Ok(value.to_owned()) } else { Err(Reason::Name) }
}
