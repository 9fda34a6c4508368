//! The text form of a spacing, in links and on the command line.

use super::{AlignYourSteps, Spacing};
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use thiserror::Error;

/// What the text of a spacing must be.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SpacingError {
    #[error("one of {}", Spacing::ALL.each_ref().map(Spacing::id).join(", "))]
    Unknown,
    #[error("{0} alone, which has no parameters")]
    Bare(&'static str),
    #[error("{id}, or {id}:{names} with {} from {from} to {to}", if names.contains(',') { "each" } else { "a number" })]
    Range { id: &'static str, names: &'static str, from: f64, to: f64 },
    #[error("align-your-steps, or align-your-steps: and one of {}", AlignYourSteps::ALL.map(AlignYourSteps::id).join(", "))]
    Table,
    #[error(
        "blend, or blend: and two spacings other than lists and blends, and the weight of the second from 0 to 1, such as blend:karras,trailing,0.3"
    )]
    Blend,
    #[error(
        "drawn, or drawn: and {from} to {to} heights with commas between, each at least {apart} less than the one before, from 1 to 0"
    )]
    Drawn { from: usize, to: usize, apart: f64 },
    #[error("{id}: and 1 to {most} {what} with commas between, each less than the one before, from {from} to {to}")]
    List { id: &'static str, what: &'static str, most: usize, from: f64, to: f64 },
}

impl Spacing {
    /// Most entries of a typed list.
    pub const LONGEST_LIST: usize = 1000;
    /// Exponents of [`Spacing::Karras`].
    pub const KARRAS_RHO: RangeInclusive<f64> = 0.1..=100.0;
    /// Exponents of [`Spacing::Polyexponential`]; beyond them the levels of one end would run together.
    pub const POLYEXPONENTIAL_RHO: RangeInclusive<f64> = 0.25..=4.0;
    /// Parameters of [`Spacing::Beta`]; below them the levels of the ends would run together.
    pub const BETA: RangeInclusive<f64> = 0.25..=10.0;
    /// Shifts of [`Spacing::Shifted`].
    pub const SHIFT: RangeInclusive<f64> = 0.01..=100.0;
    /// Ratios of [`Spacing::Custom`].
    pub const RATIO: RangeInclusive<f64> = 1e-6..=1e6;
    /// How many heights [`Spacing::Drawn`] has, and how far each is below the one before at least: closer ones would run together.
    pub const HEIGHTS: RangeInclusive<usize> = 2..=12;
    pub const APART: f64 = 0.001;
    /// Times of [`Spacing::CustomTimes`].
    pub const TIME: RangeInclusive<f64> = 0.0..=1e6;
}

impl Spacing {
    /// Its parameters as text, as they stand behind the colon; `None` if it has none.
    pub fn parameters(&self) -> Option<String> {
        Some(match self {
            Self::Karras { rho } | Self::Polyexponential { rho } => rho.to_string(),
            Self::Beta { alpha, beta } => format!("{alpha},{beta}"),
            Self::Shifted { shift } => shift.to_string(),
            Self::AlignYourSteps(table) => table.id().to_owned(),
            Self::Blend { of, weight } => {
                let parts = of.iter().map(Self::to_string).chain([weight.to_string()]);
                parts.collect::<Vec<_>>().join(",")
            }
            Self::Drawn(list) | Self::Custom(list) | Self::CustomTimes(list) => {
                list.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Spacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())?;
        match self.parameters() {
            Some(parameters) if Self::from_id(self.id()).as_ref() != Some(self) => write!(f, ":{parameters}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Spacing {
    type Err = SpacingError;

    /// # Errors
    /// No spacing has that id; parameters that it does not take. The error says what it must be.
    fn from_str(text: &str) -> Result<Self, SpacingError> {
        let (id, parameters) = text.split_once(':').map_or((text, None), |(id, rest)| (id, Some(rest)));
        let kind = Self::from_id(id).ok_or(SpacingError::Unknown)?;
        let Some(text) = parameters else { return Ok(kind) };
        let id = kind.id();
        Ok(match kind {
            Self::Karras { .. } => {
                let [rho] = numbers(id, "rho", text, Self::KARRAS_RHO)?;
                Self::Karras { rho }
            }
            Self::Polyexponential { .. } => {
                let [rho] = numbers(id, "rho", text, Self::POLYEXPONENTIAL_RHO)?;
                Self::Polyexponential { rho }
            }
            Self::Beta { .. } => {
                let [alpha, beta] = numbers(id, "alpha,beta", text, Self::BETA)?;
                Self::Beta { alpha, beta }
            }
            Self::Shifted { .. } => {
                let [shift] = numbers(id, "shift", text, Self::SHIFT)?;
                Self::Shifted { shift }
            }
            Self::AlignYourSteps(_) => {
                let table = AlignYourSteps::ALL.into_iter().find(|table| table.id() == text);
                Self::AlignYourSteps(table.ok_or(SpacingError::Table)?)
            }
            Self::Blend { .. } => blend(text).ok_or(SpacingError::Blend)?,
            Self::Drawn(_) => {
                let (lengths, apart) = (Self::HEIGHTS, Self::APART);
                let falls = |list: &Vec<f64>| list.windows(2).all(|w| w[1] <= w[0] - apart + f64::EPSILON);
                let heights = parsed(text, &(0.0..=1.0)).filter(|list| lengths.contains(&list.len()) && falls(list));
                let error = SpacingError::Drawn { from: *lengths.start(), to: *lengths.end(), apart };
                Self::Drawn(Cow::Owned(heights.ok_or(error)?))
            }
            // Lists of sigmas usually end in the clean end's 0, which every grid has.
            Self::Custom(_) => {
                let text =
                    ["0", "0.0"].iter().find_map(|zero| text.strip_suffix(zero)?.strip_suffix(',')).unwrap_or(text);
                Self::Custom(list(id, "noise-to-signal ratios", text, Self::RATIO)?)
            }
            Self::CustomTimes(_) => Self::CustomTimes(list(id, "times", text, Self::TIME)?),
            _ => return Err(SpacingError::Bare(id)),
        })
    }
}

/// Two spacings, which may have commas of their own, and a weight.
fn blend(text: &str) -> Option<Spacing> {
    let (pair, weight) = text.rsplit_once(',')?;
    let weight = weight.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    let spacing = |text: &str| {
        let spacing = text.trim().parse::<Spacing>().ok()?;
        let blends = spacing.steps().is_none() && !matches!(spacing, Spacing::Blend { .. });
        blends.then_some(spacing)
    };
    let split = |(at, _): (usize, &str)| Some(vec![spacing(&pair[..at])?, spacing(&pair[at + 1..])?]);
    let of = pair.match_indices(',').find_map(split)?;
    Some(Spacing::Blend { of: Cow::Owned(of), weight })
}

/// The numbers with commas between; none where one of them is malformed or out of range.
fn parsed(text: &str, range: &RangeInclusive<f64>) -> Option<Vec<f64>> {
    text.split(',').map(|n| n.trim().parse().ok().filter(|n| range.contains(n))).collect()
}

fn numbers<const N: usize>(
    id: &'static str,
    names: &'static str,
    text: &str,
    range: RangeInclusive<f64>,
) -> Result<[f64; N], SpacingError> {
    let error = || SpacingError::Range { id, names, from: *range.start(), to: *range.end() };
    parsed(text, &range).and_then(|numbers| numbers.try_into().ok()).ok_or_else(error)
}

fn list(
    id: &'static str,
    what: &'static str,
    text: &str,
    range: RangeInclusive<f64>,
) -> Result<Cow<'static, [f64]>, SpacingError> {
    let most = Spacing::LONGEST_LIST;
    let error = || SpacingError::List { id, what, most, from: *range.start(), to: *range.end() };
    let usable = |list: &Vec<f64>| list.len() <= most && list.windows(2).all(|w| w[1] < w[0]);
    parsed(text, &range).filter(usable).map(Cow::Owned).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_reads_back_to_what_it_was_made_from() {
        for spacing in Spacing::ALL {
            assert_eq!(spacing.to_string(), spacing.id());
            assert_eq!(spacing.to_string().parse(), Ok(spacing));
        }
        let forms = [
            "karras:5",
            "polyexponential:0.5",
            "beta:0.5,0.7",
            "shifted:1.15",
            "align-your-steps:svd",
            "blend:karras,trailing,0.3",
            "blend:beta:0.5,0.7,karras:5,0",
            "blend:shifted:2,drawn:1,0.5,0,1",
            "drawn:1,0.25,0.1",
            "drawn:0.9,0.899",
            "custom:14.6,7,1,0.1",
            "custom:0.000001",
            "custom-times:1,0.5,0",
        ];
        for form in forms {
            assert_eq!(form.parse::<Spacing>().unwrap().to_string(), form);
        }
        for (form, short) in [("karras:7", "karras"), ("beta: 0.6, 0.60", "beta"), ("custom:3,1,0.0", "custom:3,1")] {
            assert_eq!(form.parse::<Spacing>().unwrap().to_string(), short);
        }
        assert_eq!("custom:14.6,7,1,0.1".parse::<Spacing>().unwrap().steps(), Some(4));
    }

    #[test]
    fn what_cannot_be_used_is_refused_in_words() {
        let long = format!("custom:{}", (1..=1001).rev().map(|i| i.to_string()).collect::<Vec<_>>().join(","));
        for (text, said) in [
            ("", "one of trailing, linspace, "),
            ("Karras", "one of trailing"),
            ("trailing:1", "trailing alone, which has no parameters"),
            ("karras:", "karras, or karras:rho with a number from 0.1 to 100"),
            ("karras:0", "karras, or karras:rho with a number from 0.1 to 100"),
            ("karras:5,5", "karras, or karras:rho"),
            ("shifted:inf", "shifted, or shifted:shift"),
            ("beta:0.6", "beta, or beta:alpha,beta with each from 0.25 to 10"),
            ("beta:0.6,NaN", "beta, or beta:alpha,beta"),
            ("align-your-steps:sd3", "align-your-steps, or align-your-steps: and one of sd1, sdxl, svd"),
            ("blend:karras", "blend, or blend: and two spacings"),
            ("blend:karras,trailing", "the weight of the second from 0 to 1"),
            ("blend:karras,trailing,1.5", "the weight of the second from 0 to 1"),
            ("blend:karras,nothing,0.5", "such as blend:karras,trailing,0.3"),
            ("blend:karras,custom:3,1,0.5", "other than lists and blends"),
            ("blend:karras,blend:karras,trailing,0.5,0.5", "other than lists and blends"),
            ("drawn:1", "drawn, or drawn: and 2 to 12 heights"),
            ("drawn:1,1", "each at least 0.001 less than the one before"),
            ("drawn:1.5,0", "from 1 to 0"),
            ("drawn:0,1", "each at least 0.001 less"),
            ("custom:1,2", "custom: and 1 to 1000 noise-to-signal ratios"),
            ("custom:", "each less than the one before, from 0.000001 to 1000000"),
            ("custom:0", "custom: and "),
            ("custom:1,0,0", "custom: and "),
            ("custom-times:1,1", "custom-times: and 1 to 1000 times"),
            (&long, "custom: and 1 to 1000"),
        ] {
            let error = text.parse::<Spacing>().expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written_again(
            id in "karras|beta|shifted|polyexponential|blend:karras,trailing|drawn|custom|custom-times", value in "[0-9.,e-]{0,12}"
        ) {
            if let Ok(spacing) = format!("{id}:{value}").parse::<Spacing>() {
                prop_assert_eq!(spacing.to_string().parse(), Ok(spacing));
            }
        }
    }
}
