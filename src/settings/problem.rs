//! Values that cannot be used, and what they should be.

use crate::math::SpacingError;
use crate::samplers::methods;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use thiserror::Error;

/// A value that could not be used.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{key} must be {reason}, got \"{value}\"")]
pub struct Problem {
    pub key: String,
    pub value: String,
    pub reason: Reason,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Reason {
    #[error("a number from {from} to {to}")]
    Range { from: String, to: String },
    #[error("one of {}", .0.join(", "))]
    OneOf(Vec<String>),
    #[error("a name of letters, digits, dots, dashes and underscores")]
    Name,
    /// Several numbers or words in one value.
    #[error("{form}, such as {example}")]
    Form { form: &'static str, example: &'static str },
    #[error(transparent)]
    Schedule(#[from] SpacingError),
}

pub(crate) fn one_of<S: Into<String>>(known: impl IntoIterator<Item = S>) -> Reason {
    Reason::OneOf(known.into_iter().map(Into::into).collect())
}

pub(crate) fn unknown_sampler() -> Reason {
    one_of(methods::<f64>().iter().map(|m| m.id))
}

pub(crate) fn number<N: FromStr + PartialOrd + fmt::Display>(
    value: &str,
    range: RangeInclusive<N>,
) -> Result<N, Reason> {
    let out = || Reason::Range { from: range.start().to_string(), to: range.end().to_string() };
    value.parse().ok().filter(|n| range.contains(n)).ok_or_else(out)
}

/// The one of `all` that is written like this.
pub(crate) fn choice<T: fmt::Display + Copy>(value: &str, all: &[T]) -> Result<T, Reason> {
    let known = || one_of(all.iter().map(T::to_string));
    all.iter().copied().find(|one| one.to_string() == value).ok_or_else(known)
}

/// A model's name becomes part of an address, so it must not lead out of the models' folder.
pub(crate) fn folder_name(value: &str) -> Result<String, Reason> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let safe = !value.is_empty() && !value.starts_with('.') && value.len() <= 100 && value.chars().all(plain);
    if safe { Ok(value.to_owned()) } else { Err(Reason::Name) }
}
