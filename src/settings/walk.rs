//! Walks: runs on the way from one seed, prompt or class to the next, as a link has them: `seed:3,9,12 [8]`.

use super::preset::Checked;
use super::problem::{Problem, Reason, one_of};
use super::{Axis, Class, Facts, Settings, Value};
use std::fmt;
use std::str::FromStr;

/// Stops and the frames between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// What changes, and the stops: two or more.
    pub axis: Axis,
    /// Steps from one stop to the next.
    pub steps: usize,
}

/// A frame of a walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    pub settings: Settings,
    /// The stop that it is at or after, from 0 on.
    pub stop: usize,
    /// The share of the way to the next one: 0 at a stop, where the frame is the run of that stop.
    pub share: f64,
}

impl Walk {
    /// What can change along a walk.
    pub const KEYS: [&'static str; 3] = ["seed", "prompt", "class"];
    /// Steps where none are said.
    pub const STEPS: usize = 8;
    /// Most frames of a walk.
    pub const MOST: usize = 256;

    /// A walk as a link has it, of parts that are not read yet.
    pub fn text(key: impl fmt::Display, stops: impl fmt::Display, steps: impl fmt::Display) -> String {
        format!("{key}:{stops} [{steps}]")
    }

    /// How many frames it has.
    pub fn frames(&self) -> usize {
        (self.axis.values.len() - 1) * self.steps + 1
    }

    /// Settings that are this far from one stop to the next. Starting noise goes along the sphere, the states of texts and the rows
    /// of the class embedding in a straight line.
    fn between(&self, settings: &Settings, [one, other]: [&str; 2], share: f64) -> Result<Settings, Problem> {
        let plain = Settings { blend: 0.0, ..settings.clone() };
        let of = |text: &str| {
            let mut settings = plain.clone();
            settings.take_all(vec![(self.axis.key.to_owned(), Value::from(text))])?;
            Ok(settings)
        };
        let (begin, end): (Settings, Settings) = (of(one)?, of(other)?);
        Ok(match (self.axis.key, end.class) {
            // The seed's own variation is that of the walk.
            ("seed", _) => {
                Settings { variation: share, variation_seed: if share > 0.0 { end.seed } else { 0 }, ..begin }
            }
            _ if share == 0.0 => begin,
            ("class", Class::One(class)) => Settings { blend: share, blend_class: class, ..begin },
            _ => Settings { blend: share, blend_prompt: end.prompt, ..begin },
        })
    }
}

impl FromStr for Walk {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let form = || Reason::Form {
            form: "two stops or more of seed, prompt or class, and the steps between them",
            example: "seed:3,9,12 [8]",
        };
        // A number in brackets at the end; a range among the values may end like it, and has a dash.
        let counted = text.trim_end().strip_suffix(']').and_then(|text| text.rsplit_once(" ["));
        let (axis, steps) = match counted {
            Some((axis, steps)) => (axis, steps.trim().parse().ok().filter(|steps| *steps > 0).ok_or_else(form)?),
            None => (text, Self::STEPS),
        };
        if steps > Self::MOST {
            return Err(Reason::Frames { most: Self::MOST });
        }
        let axis: Axis = axis.parse()?;
        if !Self::KEYS.contains(&axis.key) {
            return Err(one_of(axis.key, Self::KEYS));
        }
        let numbers = axis.key != "class" || axis.values.iter().all(|class| class.parse::<usize>().is_ok());
        if axis.values.len() < 2 || !numbers {
            return Err(form());
        }
        let walk = Self { axis, steps };
        if walk.frames() > Self::MOST { Err(Reason::Frames { most: Self::MOST }) } else { Ok(walk) }
    }
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Self::text(self.axis.key, self.axis.typed(), self.steps))
    }
}

impl Checked<Settings> {
    /// The frames of its walk in their order; none without a walk.
    ///
    /// # Errors
    /// A stop that the model does not have.
    pub fn walk(&self, facts: Option<Facts>) -> Result<Vec<Stop>, Problem> {
        let Some(walk) = &self.page.walk else { return Ok(Vec::new()) };
        let values = &walk.axis.values;
        let frame = |i: usize| {
            let (stop, step) = (i / walk.steps, i % walk.steps);
            let share = step as f64 / walk.steps as f64;
            let next = values.get(stop + 1).unwrap_or(&values[stop]);
            let settings = walk.between(&self.settings, [&values[stop], next], share)?.fitted(facts)?;
            Ok(Stop { settings, stop, share })
        };
        (0..walk.frames()).map(frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Linked, Page};

    fn walk(text: &str) -> Result<Vec<Stop>, Problem> {
        walk_of(text, Settings::default(), None)
    }

    fn walk_of(text: &str, settings: Settings, facts: Option<Facts>) -> Result<Vec<Stop>, Problem> {
        let page = Page { walk: Some(text.parse().unwrap()), ..Page::default() };
        Checked { settings, page, problems: Vec::new() }.walk(facts)
    }

    #[test]
    fn a_frame_at_a_stop_is_the_run_of_that_stop() {
        let own = Settings { variation: 0.3, variation_seed: 5, blend: 0.2, ..Settings::default() };
        let frames = walk_of("seed:3,9,12 [4]", own.clone(), None).unwrap();
        assert_eq!(
            frames.iter().map(|frame| (frame.stop, frame.share)).collect::<Vec<_>>(),
            [(0, 0.0), (0, 0.25), (0, 0.5), (0, 0.75), (1, 0.0), (1, 0.25), (1, 0.5), (1, 0.75), (2, 0.0),]
        );
        let plain = Settings { variation: 0.0, variation_seed: 0, blend: 0.0, ..own };
        for (i, seed) in [(0, 3), (4, 9), (8, 12)] {
            assert_eq!(frames[i].settings, Settings { seed, ..plain.clone() });
        }
        assert_eq!(frames[5].settings, Settings { seed: 9, variation: 0.25, variation_seed: 12, ..plain });
    }

    #[test]
    fn prompts_and_classes_are_blended() {
        let frames = walk("prompt:\"red heart, big\",blue star [2]").unwrap();
        let of = |i: usize| {
            (frames[i].settings.prompt.as_str(), frames[i].settings.blend, frames[i].settings.blend_prompt.as_str())
        };
        assert_eq!(
            [of(0), of(1), of(2)],
            [("red heart, big", 0.0, ""), ("red heart, big", 0.5, "blue star"), ("blue star", 0.0, "")]
        );
        let frames = walk("class:2-4 [2]").unwrap();
        assert_eq!(frames.len(), 5);
        assert_eq!(
            (frames[3].settings.class, frames[3].settings.blend, frames[3].settings.blend_class),
            (Class::One(3), 0.5, 4)
        );
        // A stop that the model does not have is named.
        let facts = Facts { classes: 4, null_class: Some(4), ..Facts::default() };
        assert_eq!(walk_of("class:2-4 [2]", Settings::default(), Some(facts)).unwrap_err().key, "blend-class");
    }

    #[test]
    fn walks_read_back_and_are_bounded() {
        for text in ["seed:3,9 [8]", "prompt:a,\"b, c\" [3]", "class:1-3 [255]", "seed:1-9 [2] [3]"] {
            let (walk, written) = (text.parse::<Walk>(), text.to_owned());
            assert!(walk.is_ok() || text.contains("255"), "{text}: {walk:?}");
            if let Ok(walk) = walk {
                assert_eq!(walk.to_string(), written);
            }
        }
        assert_eq!("seed:3,9".parse::<Walk>().unwrap().steps, Walk::STEPS);
        assert_eq!("class:1-3 [255]".parse::<Walk>(), Err(Reason::Frames { most: 256 }));
        for wrong in [
            "",
            "seed",
            "seed:3",
            "steps:3,4",
            "class:all,none",
            "seed:3,9 [0]",
            "seed:3,9 [x]",
            "seed:3,9 [4294967295]",
        ] {
            assert!(wrong.parse::<Walk>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_walk_is_in_the_link() {
        let page = Page { walk: Some("prompt:a & b,c [4]".parse().unwrap()), ..Page::default() };
        let link = Settings::default().write_link(&page);
        let read = Settings::linked_to(&Settings::default(), &link);
        assert_eq!((read.page.walk, read.problems), (page.walk, vec![]));
    }
}
