//! Values that cannot be used, and why.

use super::value::Value;
use crate::samplers::methods;
use crate::words::nearest;
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
    #[error("one of {}", few(.known))]
    OneOf { known: Vec<String>, nearest: Option<Box<str>> },
    #[error("a name of letters, digits, dots, dashes and underscores")]
    Name,
    /// Several numbers or words in one value.
    #[error("{form}, such as {example}")]
    Form { form: &'static str, example: &'static str },
    #[error("a picture as the page packs it into a link, and this one is broken; copy the whole link again")]
    Start,
    #[error("{expected}")]
    Schedule { expected: String, nearest: Option<&'static str> },
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
    #[error("left out, because the model reads no texts")]
    NoText,
    #[error("cfg, cfgpp or perp, because the model reads texts and has no classes")]
    NoClasses,
    #[error("a text of at most {most} characters")]
    Long { most: usize },
    #[error("a width and a height of {from} to {to} pixels each, such as 96x64")]
    Size { from: usize, to: usize },
    #[error("a width and a height that are multiples of {multiple} and at least {least}; the nearest is {size}")]
    SizeMultiple { multiple: usize, least: usize, size: String },
    #[error("left out, because the model draws pictures of one size alone")]
    OneSize,
    #[error("model or off, because the model draws latents, whose values have no range")]
    LatentClip,
    /// Axes of a grid.
    #[error("values of which both axes together have at most {most} cells")]
    Cells { most: usize },
    /// A walk.
    #[error("a walk of at most {most} frames")]
    Frames { most: usize },
    #[error("0, because the model has neither classes nor texts to blend")]
    NoBlend,
    #[error("0, because a classifier guides towards one class alone")]
    BlendClassifier,
    /// A branch and what it goes on from.
    #[error("as in the run that this one goes on from")]
    WholeWay,
    #[error("a way of at most {most} branches, one after the other; go on from a step of an earlier one")]
    Legs { most: usize },
    #[error("a way whose branches rise, and step {step} does not come after step {before}")]
    LegStep { step: usize, before: usize },
    #[error("a way whose every part fits the model and its own sampler, and {setting} {got} does not")]
    Leg { setting: Box<str>, got: Box<str> },
    #[error("a known key")]
    UnknownKey { nearest: Option<&'static str> },
    /// A value that changes nothing in the run that it is given for.
    #[error("left out, because {why}")]
    Idle { why: &'static str },
    /// A link that a mail or chat program had changed; `found` is what was repaired.
    #[error("repaired")]
    Repaired { found: Vec<&'static str> },
}

impl Problem {
    pub fn new(key: &str, value: impl fmt::Display, reason: Reason) -> Self {
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
            Reason::UnknownKey { .. } => write!(f, "there is no setting {key}{}", reason.hint()),
            Reason::Idle { why } => write!(f, "{key} changes nothing here: {why}"),
            Reason::Repaired { found } => write!(f, "the link was damaged and has been repaired: {}", found.join(", ")),
            _ => write!(f, "{key} must be {reason}, got \"{value}\"{}", reason.hint()),
        }
    }
}

impl Reason {
    /// What may have been meant, as the end of a sentence.
    pub fn hint(&self) -> String {
        let nearest = match self {
            Self::OneOf { nearest, .. } => nearest.as_deref(),
            Self::Schedule { nearest, .. } | Self::UnknownKey { nearest } => *nearest,
            _ => None,
        };
        nearest.map_or(String::new(), |nearest| format!("; did you mean {nearest}?"))
    }

    pub(crate) fn range(from: f64, to: f64) -> Self {
        Self::Range { from: from.into(), to: to.into() }
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

/// The names in a sentence, the first few of many.
fn few(known: &[String]) -> String {
    const SHOWN: usize = 12;
    match known.len() {
        0..=SHOWN => known.join(", "),
        all => format!("{} and {} more", known[..SHOWN].join(", "), all - SHOWN),
    }
}

/// Why `value` is none of `known`.
pub(crate) fn one_of<S: Into<String>>(value: &str, known: impl IntoIterator<Item = S>) -> Reason {
    let known: Vec<String> = known.into_iter().map(Into::into).collect();
    let nearest = nearest(value, known.iter().map(String::as_str)).map(Box::from);
    Reason::OneOf { known, nearest }
}

pub(crate) fn unknown_sampler(id: &str) -> Reason {
    one_of(id, methods::<f64>().iter().map(|m| m.id))
}

/// A model's name becomes part of an address, so it must not lead out of the models' folder.
pub(crate) fn folder_name(value: &str) -> Result<String, Reason> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let safe = !value.is_empty() && !value.starts_with('.') && value.len() <= 100 && value.chars().all(plain);
    if safe { Ok(value.to_owned()) } else { Err(Reason::Name) }
}

/// A text of a person's own. Any characters will do, but a link carries no book.
pub(crate) fn prompt(value: &str) -> Result<String, Reason> {
    const MOST: usize = 1000;
    if value.chars().count() > MOST { Err(Reason::Long { most: MOST }) } else { Ok(value.to_owned()) }
}
