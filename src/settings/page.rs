//! The page's own keys of a link.

use super::problem::Reason;
use super::{Axis, Levels, Race, Settings, Walk};
use std::fmt;
use std::str::FromStr;

/// What the page itself is to be like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Where the network runs.
    pub backend: Backend,
    /// The language of the texts; `None` where the browser's is taken.
    pub lang: Option<&'static str>,
    /// The stop of the lab's guided tour.
    pub tour: Option<&'static str>,
    /// What is looked at beside the stage.
    pub show: Option<Show>,
    /// The axes of the grid that is shown: across, and down.
    pub x: Option<Axis>,
    pub y: Option<Axis>,
    /// Levels that are drawn over those of the run.
    pub beside: Option<Levels>,
    /// The race of samplers that is shown.
    pub race: Option<Race>,
    /// The walk that is shown.
    pub walk: Option<Walk>,
    /// Whether the timings of the graphics card are shown.
    pub bench: bool,
    /// Whether the page stands in another one: stage, timeline and Run alone.
    pub embed: bool,
}

/// What a view of pictures looks at beside its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// A picture of the run, counted from 1, large, at a step or at the last.
    Large { image: usize, step: Option<usize> },
    /// The forward process on the start picture, at a step of it or in its middle.
    Forward { step: Option<usize> },
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self {
            Self::Large { image, step } => {
                write!(f, "large:{image}")?;
                step
            }
            Self::Forward { step } => {
                f.write_str("forward")?;
                step
            }
        };
        step.map_or(Ok(()), |step| write!(f, ":{step}"))
    }
}

impl FromStr for Show {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let form = || Reason::Form { form: "large and a picture, or forward, and a step", example: "large:2:7" };
        let number = |text: &str| text.parse().map_err(|_| form());
        let step = |text: Option<&&str>| text.map(|text| number(text)).transpose();
        match text.split(':').collect::<Vec<_>>()[..] {
            ["large", image, ref rest @ ..] if rest.len() < 2 => {
                let image = number(image)?;
                let step = step(rest.first())?;
                if Settings::IMAGES.contains(&image) { Ok(Self::Large { image, step }) } else { Err(form()) }
            }
            ["forward", ref rest @ ..] if rest.len() < 2 => Ok(Self::Forward { step: step(rest.first())? }),
            _ => Err(form()),
        }
    }
}

/// Where the network is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// On a GPU if there is one.
    #[default]
    Auto,
    Cpu,
    WebGpu,
}

impl Page {
    pub const BACKENDS: [(&'static str, Backend); 3] =
        [("auto", Backend::Auto), ("cpu", Backend::Cpu), ("webgpu", Backend::WebGpu)];
    pub const LANGUAGES: [&'static str; 2] = ["en", "zh"];
    /// Of the guided tour.
    pub const STOPS: [&'static str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

    /// What a link that is shared says of the page: another reader may prefer another language, and opens the whole page.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { lang: None, embed: false, ..self.clone() }
    }

    /// What a link to one run says of the page: none of the views of several.
    #[must_use]
    pub fn of_run(&self) -> Self {
        Self { x: None, y: None, race: None, walk: None, bench: false, ..self.clone() }
    }

    /// Puts a key back to its default, if it is one of the page's.
    pub(crate) fn reset(&mut self, key: &str) {
        match key {
            "backend" => self.backend = Backend::default(),
            "lang" => self.lang = None,
            "tour" => self.tour = None,
            "show" => self.show = None,
            "x" => self.x = None,
            "y" => self.y = None,
            "beside" => self.beside = None,
            "race" => self.race = None,
            "walk" => self.walk = None,
            "bench" => self.bench = false,
            "embed" => self.embed = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_at_reads_back() {
        for text in ["large:1", "large:64:0", "large:2:7", "forward", "forward:12"] {
            assert_eq!(text.parse::<Show>().map(|show| show.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "large", "large:0", "large:65", "large:1:2:3", "forward:", "forward:-1", "small:1", "large:x"]
        {
            assert!(text.parse::<Show>().is_err(), "{text}");
        }
    }
}
