//! Which noise levels a run visits: the `schedule` of a link.

use super::problem::Reason;
use crate::math::{Spacing, SpacingError};
use crate::words::nearest;
use std::fmt;
use std::str::FromStr;

/// The noise levels of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Levels {
    /// Those that the model's own scheduler steps between. With the scheduler's own sampler and parameters the whole run is
    /// the scheduler's: where it starts, the order of each step and which draws are used.
    Model,
    Spaced(Spacing),
}

impl Levels {
    /// The word for the model's own.
    pub const MODEL: &'static str = "model";

    /// The ids of all kinds.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        std::iter::once(Self::MODEL).chain(Spacing::ALL.each_ref().map(Spacing::id))
    }

    /// The number of steps where the levels themselves say it.
    pub fn steps(&self) -> Option<usize> {
        match self {
            Self::Model => None,
            Self::Spaced(spacing) => spacing.steps(),
        }
    }
}

impl From<Spacing> for Levels {
    fn from(spacing: Spacing) -> Self {
        Self::Spaced(spacing)
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str(Self::MODEL),
            Self::Spaced(spacing) => spacing.fmt(f),
        }
    }
}

impl FromStr for Levels {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let id = text.split(':').next().unwrap_or_default();
        let (expected, nearest) = match (text, text.parse::<Spacing>()) {
            (Self::MODEL, _) => return Ok(Self::Model),
            (_, Ok(spacing)) => return Ok(Self::Spaced(spacing)),
            (_, Err(SpacingError::Unknown)) if id == Self::MODEL => (SpacingError::Bare(Self::MODEL).to_string(), None),
            (_, Err(SpacingError::Unknown)) => {
                (format!("one of {}", Self::ids().collect::<Vec<_>>().join(", ")), nearest(id, Self::ids()))
            }
            (_, Err(error)) => (error.to_string(), None),
        };
        Err(Reason::Schedule { expected, nearest })
    }
}
