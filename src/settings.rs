//! What a run is made of, and the share link that carries it.
//!
//! The link is the hash part of the page's address, `#key=value&key=value`. This is its one parser: the page and the
//! command line both read links here, so both show the same pictures.

use crate::math::{Latent, Spacing, SpacingError};
use crate::samplers::{Method, methods};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use thiserror::Error;

/// Everything that decides the pictures of a run, besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Name of the model's folder.
    pub model: String,
    /// Id of a row of the sampler table.
    pub sampler: String,
    /// Steps of the grid, within [`Settings::STEPS`]; a schedule that is a typed list has its own number.
    pub steps: usize,
    /// How the noise levels are spaced.
    pub schedule: Spacing,
    /// Seed of image 0; image `i` has `seed + i`.
    pub seed: u32,
    /// Number of images, within [`Settings::IMAGES`].
    pub images: usize,
    /// The class each image is asked for.
    pub class: Class,
    /// Classifier-free guidance scale within [`Settings::GUIDANCE`]; 1 is the conditional model without guidance.
    pub guidance: f64,
    /// Share of fresh noise a step within [`Settings::ETA`]; `None` takes the method's own default.
    pub eta: Option<f64>,
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
    pub const GUIDANCE: RangeInclusive<f64> = 0.0..=20.0;
    pub const ETA: RangeInclusive<f64> = 0.0..=1.0;

    /// Reads a share link: a whole address, or only its hash. Unknown keys are left alone. A value that cannot be used
    /// keeps its default and is named in the list of problems.
    pub fn from_link(link: &str) -> (Self, Vec<Problem>) {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let hash = link.rsplit_once('#').map_or(link, |(_, hash)| hash);
        for pair in hash.split('&') {
            let Some((key, value)) = pair.split_once('=') else { continue };
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            problems.extend(settings.set(key, &value).err());
        }
        (settings, problems)
    }

    /// The hash that [`from_link`](Self::from_link) reads back to these settings.
    pub fn to_link(&self) -> String {
        let Self { model, sampler, steps, schedule, seed, images, class, guidance, eta } = self;
        let mut link = format!(
            "#model={model}&sampler={sampler}&steps={steps}&schedule={schedule}&seed={seed}&images={images}&class={class}&guidance={guidance}",
        );
        if let Some(eta) = eta {
            link += &format!("&eta={eta}");
        }
        link
    }

    /// The row of the sampler table for [`Settings::sampler`].
    ///
    /// # Errors
    /// No row has that id: the settings were not made by [`from_link`](Self::from_link).
    pub fn method<X: Latent + 'static>(&self) -> Result<Method<X>, Reason> {
        methods().into_iter().find(|m| m.id == self.sampler).ok_or_else(unknown_sampler)
    }

    /// Sets what `key` of a link names; an unknown key changes nothing.
    ///
    /// # Errors
    /// The value is not one that the key takes; nothing is changed.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        self.try_set(key, value).map_err(|reason| Problem { key: key.to_owned(), value: value.to_owned(), reason })
    }

    fn try_set(&mut self, key: &str, value: &str) -> Result<(), Reason> {
        match key {
            "model" => self.model = folder_name(value)?,
            "sampler" if methods::<f64>().iter().any(|m| m.id == value) => self.sampler = value.to_owned(),
            "sampler" => return Err(unknown_sampler()),
            "steps" => self.steps = number(value, Self::STEPS)?,
            "schedule" => self.schedule = value.parse()?,
            "seed" => self.seed = number(value, 0..=u32::MAX)?,
            "images" => self.images = number(value, Self::IMAGES)?,
            "class" => self.class = value.parse()?,
            "guidance" => self.guidance = number(value, Self::GUIDANCE)?,
            "eta" => self.eta = Some(number(value, Self::ETA)?),
            _ => {}
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "fashion-mnist".to_owned(),
            sampler: "dpmpp-2m".to_owned(),
            steps: 20,
            schedule: Spacing::Trailing,
            seed: 7,
            images: 16,
            class: Class::All,
            guidance: 2.0,
            eta: None,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::One(class) => write!(f, "{class}"),
        }
    }
}

impl FromStr for Class {
    type Err = Reason;

    fn from_str(value: &str) -> Result<Self, Reason> {
        match value {
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            number => number.parse().map(Self::One).map_err(|_| one_of(["all", "none", "a class number"])),
        }
    }
}

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
    #[error(transparent)]
    Schedule(#[from] SpacingError),
    #[error("a name of letters, digits, dots, dashes and underscores")]
    Name,
}

fn one_of<S: Into<String>>(known: impl IntoIterator<Item = S>) -> Reason {
    Reason::OneOf(known.into_iter().map(Into::into).collect())
}

fn unknown_sampler() -> Reason {
    one_of(methods::<f64>().iter().map(|m| m.id))
}

fn number<N: FromStr + PartialOrd + fmt::Display>(value: &str, range: RangeInclusive<N>) -> Result<N, Reason> {
    let out = || Reason::Range { from: range.start().to_string(), to: range.end().to_string() };
    value.parse().ok().filter(|n| range.contains(n)).ok_or_else(out)
}

/// A model's name becomes part of an address, so it must not lead out of the models' folder.
fn folder_name(value: &str) -> Result<String, Reason> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let safe = !value.is_empty() && !value.starts_with('.') && value.len() <= 100 && value.chars().all(plain);
    if safe { Ok(value.to_owned()) } else { Err(Reason::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_restores_the_settings_it_was_made_from() {
        let settings = Settings {
            model: "my.model-2".into(),
            sampler: "dpmpp-2m".into(),
            steps: 1000,
            schedule: Spacing::Beta { alpha: 0.5, beta: 0.7 },
            seed: u32::MAX,
            images: 64,
            class: Class::One(3),
            guidance: 0.1 + 0.2,
            eta: Some(0.25),
        };
        let link = format!("https://example.org/a/b/{}", settings.to_link());
        assert_eq!(Settings::from_link(&link), (settings, vec![]));
    }

    #[test]
    fn each_bad_value_keeps_its_default_and_is_named() {
        for (pair, reason) in [
            ("steps=0", "a number from 1 to 1000"),
            ("steps=1e9", "a number from 1 to 1000"),
            ("seed=-1", "a number from 0 to 4294967295"),
            ("images=65", "a number from 1 to 64"),
            ("guidance=NaN", "a number from 0 to 20"),
            ("eta=2", "a number from 0 to 1"),
            ("class=shoe", "one of all, none, a class number"),
            ("model=..%2F..%2Fetc", "a name of letters"),
            ("sampler=euler++", "one of "),
            ("schedule=", "one of "),
            ("schedule=karras:0", "karras, or karras:rho with a number"),
            ("schedule=custom:1,2", "each less than the one before"),
        ] {
            let (settings, problems) = Settings::from_link(pair);
            assert_eq!(settings, Settings::default(), "{pair}");
            assert_eq!(problems.len(), 1, "{pair}");
            assert!(problems[0].to_string().contains(reason), "{}", problems[0]);
        }
    }

    #[test]
    fn unknown_keys_and_broken_pairs_are_left_alone() {
        assert_eq!(Settings::from_link("#lang=zh&x&&=&backend=cpu"), (Settings::default(), vec![]));
        assert_eq!(Settings::from_link("").0, Settings::default());
    }

    proptest! {
        #[test]
        fn no_link_panics(link in "\\PC{0,80}") {
            Settings::from_link(&link);
        }

        #[test]
        fn no_value_leaves_its_range(key in "steps|images|guidance|eta|seed|class", value in "-?[0-9.eE%a-f]{0,12}") {
            let (s, _) = Settings::from_link(&format!("{key}={value}"));
            prop_assert!(Settings::STEPS.contains(&s.steps) && Settings::IMAGES.contains(&s.images));
            prop_assert!(Settings::GUIDANCE.contains(&s.guidance) && s.eta.is_none_or(|e| Settings::ETA.contains(&e)));
        }
    }
}
