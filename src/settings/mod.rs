//! What a run is made of, and the share link that carries it.
//!
//! The link is the hash part of the page's address, `#key=value&key=value`. This is its one parser: the page and the
//! command line both read links here, so both show the same pictures.

mod preset;
pub(crate) mod problem;
mod values;

pub use preset::Defaults;
pub use problem::{Problem, Reason};

use crate::math::{Latent, Spacing};
use crate::samplers::{Knob, Method, Tuning, method, methods};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use problem::{choice, folder_name, number, one_of, unknown_sampler};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What stands in a link as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b',').remove(b':');

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
    /// Which way guidance pushes.
    pub guide: Guide,
    /// Share of the guided picture's contrast that is brought back to the unguided one's, within [`Settings::SHARE`].
    pub rescale: f64,
    /// The least and the largest noise-to-signal ratio at which guidance acts.
    pub guidance_range: [f64; 2],
    /// Scale of a classifier's gradient, within [`Settings::CLASSIFIER`]; at 0 no classifier is asked.
    pub classifier: f64,
    /// Bound of the model's estimates.
    pub clip: Clip,
    /// Where the noise of stochastic samplers comes from.
    pub noise: Source,
    /// Share of the run that changes a picture given as a start, within [`Settings::SHARE`]; 1 forgets it entirely.
    pub strength: f64,
    /// What was turned, by the id of its [`Knob`]; the others stand where the method's row has them.
    pub knobs: BTreeMap<&'static str, f64>,
}

/// Which way guidance pushes, and what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guide {
    /// Away from the model without a label (classifier-free guidance).
    Cfg,
    /// The same estimate, but with the noise of the model without a label (CFG++).
    CfgPlusPlus,
    /// Away from that part of a second class that is perpendicular to the first.
    Perpendicular(usize),
}

/// What becomes of estimates beyond the model's range of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clip {
    /// What the model's card says.
    Model,
    /// Nothing.
    Off,
    /// They are cut off.
    Range,
    /// Each picture is shrunk until only its 0.5 % most extreme values are cut off (dynamic thresholding).
    Dynamic,
}

/// Where the noise of stochastic samplers comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A fresh draw a step, as torch draws it: the pictures of diffusers.
    Stream,
    /// A Brownian path: more steps follow the same path more finely, so that the picture stays the same.
    Brownian,
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
    /// Keys that a link always has; the others only where they are not at their default.
    pub const ALWAYS: [&str; 8] = ["model", "sampler", "steps", "schedule", "seed", "images", "class", "guidance"];
    /// Keys whose values are words, although some may look like numbers.
    pub const WORDS: [&str; 7] = ["model", "sampler", "schedule", "class", "guide", "clip", "noise"];
    pub const STEPS: RangeInclusive<usize> = 1..=1000;
    pub const IMAGES: RangeInclusive<usize> = 1..=64;
    pub const GUIDANCE: RangeInclusive<f64> = 0.0..=20.0;
    pub const CLASSIFIER: RangeInclusive<f64> = 0.0..=20.0;
    pub const SHARE: RangeInclusive<f64> = 0.0..=1.0;
    pub const RATIO: RangeInclusive<f64> = 0.0..=f64::INFINITY;

    /// Reads a share link: a whole address, or only its hash. Unknown keys are left alone. A value that cannot be used
    /// keeps its default and is named in the list of problems.
    pub fn from_link(link: &str) -> (Self, Vec<Problem>) {
        Self::from_link_to(&Self::default(), link)
    }

    /// The hash that [`from_link`](Self::from_link) reads back to these settings.
    pub fn to_link(&self) -> String {
        let mut pairs = self.pairs();
        let silent = Self::default().pairs();
        pairs.retain(|(key, value)| Self::ALWAYS.contains(key) || !silent.contains(&(*key, value.clone())));
        let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, VALUE)));
        format!("#{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// Every key with its value as [`set`](Self::set) takes it, in the order of a link.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let [least, most] = self.guidance_range;
        let mut pairs = vec![
            ("model", self.model.clone()),
            ("sampler", self.sampler.clone()),
            ("steps", self.steps.to_string()),
            ("schedule", self.schedule.to_string()),
            ("seed", self.seed.to_string()),
            ("images", self.images.to_string()),
            ("class", self.class.to_string()),
            ("guidance", self.guidance.to_string()),
            ("guide", self.guide.to_string()),
            ("rescale", self.rescale.to_string()),
            ("guidance-min", least.to_string()),
            ("guidance-max", most.to_string()),
            ("classifier", self.classifier.to_string()),
            ("clip", self.clip.to_string()),
            ("noise", self.noise.to_string()),
            ("strength", self.strength.to_string()),
        ];
        pairs.extend(self.knobs.iter().map(|(id, value)| (*id, value.to_string())));
        pairs
    }

    /// Every key that a link may have.
    fn keys() -> Vec<&'static str> {
        let settings = Self::default().pairs().into_iter().map(|(key, _)| key);
        let mut keys: Vec<_> = settings.collect();
        for knob in methods::<f64>().iter().flat_map(|row| row.knobs) {
            if !keys.contains(&knob.id) {
                keys.push(knob.id);
            }
        }
        keys
    }

    /// The method's tuning with what was turned.
    pub fn tuning<X>(&self, method: &Method<X>) -> Tuning {
        let set = method.knobs.iter().filter_map(|knob| Some((knob, *self.knobs.get(knob.id)?)));
        set.fold(Tuning::default(), |tuning, (knob, value)| tuning.with(knob, value))
    }

    /// Takes back what the method of these settings cannot be turned to, such as an order it does not have, and what the
    /// schedule fixes.
    pub fn fit(&mut self) -> Vec<Problem> {
        if let Some(steps) = self.schedule.steps() {
            self.steps = steps;
        }
        let Some(method) = methods::<f64>().into_iter().find(|m| m.id == self.sampler) else { return Vec::new() };
        let mut problems = Vec::new();
        for knob in method.knobs {
            if let Some(old) = knob.formerly.filter(|old| method.knob(old).is_none())
                && let Some(value) = self.knobs.remove(old)
            {
                self.knobs.entry(knob.id).or_insert(value);
            }
            let range = knob.range();
            if let Some(value) = self.knobs.get(knob.id).copied().filter(|value| !range.contains(value)) {
                self.knobs.remove(knob.id);
                let reason = Reason::Range { from: range.start().to_string(), to: range.end().to_string() };
                problems.push(Problem { key: knob.id.to_owned(), value: value.to_string(), reason });
            }
        }
        problems
    }

    /// The settings, if [`fit`](Self::fit) finds nothing in them to take back.
    ///
    /// # Errors
    /// The first thing that it would.
    pub fn fitted(mut self) -> Result<Self, Problem> {
        self.fit().into_iter().next().map_or(Ok(self), Err)
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

    /// Sets what a pair `key=value` names.
    ///
    /// # Errors
    /// As [`set`](Self::set), and a pair whose key no link has.
    pub fn set_pair(&mut self, pair: &str) -> Result<(), Problem> {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let known = Self::keys();
        if !known.contains(&key) {
            let reason = one_of(known);
            return Err(Problem { key: "the key of a setting".to_owned(), value: key.to_owned(), reason });
        }
        self.set(key, value)
    }

    fn try_set(&mut self, key: &str, value: &str) -> Result<(), Reason> {
        match key {
            "model" => self.model = folder_name(value)?,
            "sampler" => self.sampler = method::<f64>(value).ok_or_else(unknown_sampler)?.id.to_owned(),
            "steps" => self.steps = number(value, Self::STEPS)?,
            "schedule" => self.schedule = value.parse()?,
            "seed" => self.seed = number(value, 0..=u32::MAX)?,
            "images" => self.images = number(value, Self::IMAGES)?,
            "class" => self.class = value.parse()?,
            "guidance" => self.guidance = number(value, Self::GUIDANCE)?,
            "guide" => self.guide = value.parse()?,
            "rescale" => self.rescale = number(value, Self::SHARE)?,
            "guidance-min" => self.guidance_range[0] = number(value, Self::RATIO)?,
            "guidance-max" => self.guidance_range[1] = number(value, Self::RATIO)?,
            "classifier" => self.classifier = number(value, Self::CLASSIFIER)?,
            "clip" => self.clip = choice(value, &Clip::ALL)?,
            "noise" => self.noise = choice(value, &Source::ALL)?,
            "strength" => self.strength = number(value, Self::SHARE)?,
            _ => {
                if let Some((key, range, whole)) = widest(key) {
                    let value: f64 = number(value, range)?;
                    self.knobs.insert(key, if whole { value.round() } else { value });
                }
            }
        }
        Ok(())
    }
}

/// The key of a knob, today's or a former one, with the values that any method takes for it and whether they are whole.
fn widest(key: &str) -> Option<(&'static str, RangeInclusive<f64>, bool)> {
    let keys = |knob: &Knob| [Some(knob.id), knob.formerly].into_iter().flatten().find(|known| *known == key);
    let rows = methods::<f64>();
    let found = rows.iter().flat_map(|row| row.knobs).filter_map(|knob| Some((keys(knob)?, knob)));
    found.fold(None, |widest, (key, knob)| {
        let (low, high) = widest.map_or((knob.min, knob.max), |(_, range, _): (_, RangeInclusive<f64>, _)| {
            (range.start().min(knob.min), range.end().max(knob.max))
        });
        Some((key, low..=high, knob.whole))
    })
}

/// The keys and values of a share link, decoded.
pub(crate) fn pairs_of(link: &str) -> Vec<(&str, String)> {
    let hash = link.rsplit_once('#').map_or(link, |(_, hash)| hash);
    let pairs = hash.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key, percent_decode_str(value).decode_utf8_lossy().into_owned())).collect()
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
            guide: Guide::Cfg,
            rescale: 0.0,
            guidance_range: [0.0, f64::INFINITY],
            classifier: 0.0,
            clip: Clip::Model,
            noise: Source::Stream,
            strength: 1.0,
            knobs: BTreeMap::new(),
        }
    }
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
            guide: Guide::Perpendicular(3),
            rescale: 0.7,
            guidance_range: [0.25, 8.0],
            classifier: 1.5,
            clip: Clip::Dynamic,
            noise: Source::Brownian,
            strength: 0.5,
            knobs: BTreeMap::from([("eta", 0.25), ("order", 2.0)]),
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
        fn no_value_leaves_its_range(key in "steps|images|guidance|eta|order|churn|seed|class", value in "-?[0-9.eE%a-f]{0,12}") {
            let (s, _) = Settings::from_link(&format!("{key}={value}"));
            prop_assert!(Settings::STEPS.contains(&s.steps) && Settings::IMAGES.contains(&s.images));
            prop_assert!(Settings::GUIDANCE.contains(&s.guidance));
            for knob in s.method::<f64>().unwrap().knobs {
                prop_assert!(s.knobs.get(knob.id).is_none_or(|value| knob.range().contains(value)));
            }
        }
    }
}
