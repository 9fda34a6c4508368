//! The values that are words: how each is written, and read again.

use super::problem::{Reason, one_of};
use super::{Class, Clip, Guide, Preview, Settings, Source, Weighting};
use crate::picture::Placing;
use std::fmt;
use std::str::FromStr;

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
            number => number.parse().map(Self::One).map_err(|_| one_of(value, ["all", "none", "a class number"])),
        }
    }
}

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cfg => f.write_str("cfg"),
            Self::CfgPlusPlus => f.write_str("cfgpp"),
            Self::Perpendicular(None) => f.write_str("perp"),
            Self::Perpendicular(Some(class)) => write!(f, "perp-{class}"),
        }
    }
}

impl FromStr for Guide {
    type Err = Reason;

    fn from_str(value: &str) -> Result<Self, Reason> {
        let perpendicular = || Some(Self::Perpendicular(Some(value.strip_prefix("perp-")?.parse().ok()?)));
        match value {
            "cfg" => Ok(Self::Cfg),
            "cfgpp" => Ok(Self::CfgPlusPlus),
            "perp" => Ok(Self::Perpendicular(None)),
            _ => perpendicular().ok_or_else(|| one_of(value, ["cfg", "cfgpp", "perp", "perp- with a class number"])),
        }
    }
}

impl Clip {
    pub const ALL: [(&'static str, Self); 4] =
        [("model", Self::Model), ("off", Self::Off), ("range", Self::Range), ("dynamic", Self::Dynamic)];
}

impl Source {
    pub const ALL: [(&'static str, Self); 2] = [("stream", Self::Stream), ("brownian", Self::Brownian)];
}

impl Weighting {
    pub const ALL: [(&'static str, Self); 2] = [("none", Self::None), ("a1111", Self::A1111)];
}

impl Preview {
    pub const ALL: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("linear", Self::Linear), ("decode", Self::Decode)];
}

impl FromStr for Placing {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let form = || Reason::Form { form: "crop and where, margins or stretch", example: "crop:0.5,0" };
        let share = |text: &str| text.parse().ok().filter(|share| Settings::SHARE.contains(share)).ok_or_else(form);
        match text {
            "crop" => Ok(Self::MIDDLE),
            "margins" => Ok(Self::Margins),
            "stretch" => Ok(Self::Stretch),
            _ => {
                let (across, down) =
                    text.strip_prefix("crop:").and_then(|text| text.split_once(',')).ok_or_else(form)?;
                Ok(Self::Crop { across: share(across)?, down: share(down)? })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placings_read_back() {
        for text in ["crop", "crop:0,0.25", "crop:1,1", "margins", "stretch"] {
            assert_eq!(text.parse::<Placing>().map(|placing| placing.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "crop:", "crop:2,0", "crop:0.5", "crop:NaN,0", "tile"] {
            assert!(text.parse::<Placing>().is_err(), "{text}");
        }
    }
}
