//! The values that are words: how each is written, and read again.

use super::problem::{Reason, one_of};
use super::{Class, Clip, Guide, Preview, Source, Weighting};
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
