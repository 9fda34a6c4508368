//! An axis of a grid: a setting, and the values that it has along it, as a link has them: `steps:5,10,20`.

use super::fit::judged;
use super::grid::MOST_CELLS;
use super::problem::{Reason, one_of};
use super::table::Field;
use super::{Linked, Settings, Value};
use crate::samplers::{Knob, methods};
use std::fmt;
use std::str::FromStr;

/// A setting and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub key: &'static str,
    /// One or more, as a link has each of them.
    pub values: Vec<String>,
    /// The values as they were typed.
    typed: String,
}

/// Settings along which nothing of a picture changes, and a picture and a way, which no one types.
const NO_AXIS: [&str; 5] = ["images", "preview", "start", "placing", "from"];

impl Axis {
    /// The settings and the parameters of samplers that an axis can be of.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        let rows = Settings::TABLE.iter().map(|row| row.key).filter(|key| !NO_AXIS.contains(key));
        let mut knobs: Vec<_> = knobs().map(|knob| knob.id).collect();
        knobs.sort_unstable();
        knobs.dedup();
        rows.chain(knobs)
    }

    /// Its values, as a person has typed them.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The place of its setting in the table: a model comes before its class or prompt, a sampler before its parameters.
    pub(super) fn place(&self) -> usize {
        Settings::TABLE.iter().position(|row| row.key == self.key).unwrap_or(usize::MAX)
    }
}

/// The parameters of all samplers.
fn knobs() -> impl Iterator<Item = &'static Knob> {
    methods::<f64>().into_iter().flat_map(|method| method.knobs)
}

impl FromStr for Axis {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let form = || Reason::Form { form: "a setting with its values", example: "steps:5,10,20" };
        let (key, typed) = text.split_once(':').ok_or_else(form)?;
        let key = Self::keys().find(|known| *known == key.trim()).ok_or_else(|| one_of(key, Self::keys()))?;
        let mut values = Vec::new();
        for part in parts(typed).ok_or_else(form)? {
            match range(&part).filter(|_| part.chars().all(|c| !c.is_alphabetic())).filter(|_| counts(key)) {
                Some(range) => values.extend(range.numbers(whole(key)).ok_or(Reason::Cells { most: MOST_CELLS })?),
                None => values.push(part),
            }
        }
        if values.is_empty() {
            return Err(form());
        }
        values.iter().try_for_each(|value| check(key, value))?;
        Ok(Self { key, values, typed: typed.trim().to_owned() })
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.typed)
    }
}

/// Whether it takes numbers, and a range of them can be meant.
fn counts(key: &str) -> bool {
    match Settings::row(key) {
        Some(row) => row.limits().is_some() || key == "class",
        None => true,
    }
}

/// Whether the numbers that it takes are whole.
fn whole(key: &str) -> bool {
    match Settings::row(key) {
        Some(row) => !matches!(row.field, Field::Number { .. }),
        None => knobs().find(|knob| knob.id == key).is_some_and(|knob| knob.whole),
    }
}

/// Whether some run takes this value for its setting.
fn check(key: &str, value: &str) -> Result<(), Reason> {
    let value = Value::from(value);
    if let Some(row) = Settings::row(key) {
        return row.set(&mut Settings::default(), &value).map_err(|problem| problem.reason);
    }
    let judge = |knob| judged(knob, &value).map(drop);
    let fits = knobs().filter(|knob| knob.id == key).map(judge);
    fits.reduce(|one, other| one.or(other)).unwrap_or(Ok(()))
}

/// What stands between the commas. A part with commas of its own stands in quotation marks, and one of these in it twice;
/// `None` where a mark is not closed.
fn parts(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut was_quoted) = (false, vec![false]);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let (Some(part), Some(marked)) = (parts.last_mut(), was_quoted.last_mut()) else { return None };
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => part.push('"'),
            '"' if quoted || part.trim().is_empty() => {
                quoted = !quoted;
                *marked = true;
            }
            ',' if !quoted => {
                parts.push(String::new());
                was_quoted.push(false);
            }
            _ => part.push(c),
        }
    }
    // An empty part is a comma too many, unless it is an empty text in quotation marks.
    let kept = parts.iter().zip(was_quoted).map(|(part, marked)| (part.trim(), marked));
    let kept = kept.filter(|(part, marked)| *marked || !part.is_empty());
    (!quoted).then(|| kept.map(|(part, _)| part.to_owned()).collect())
}

/// Numbers from one to another, as `1-4` or, so many of them, `3-12 [4]`.
struct Numbers {
    from: f64,
    to: f64,
    count: Option<usize>,
}

/// Reads a range; `None` where it is none.
fn range(part: &str) -> Option<Numbers> {
    let counted = part.strip_suffix(']').and_then(|part| part.split_once('['));
    let (ends, count) = match counted {
        Some((ends, count)) => (ends, Some(count.trim().parse().ok().filter(|count| *count > 0)?)),
        None => (part, None),
    };
    let ends = ends.trim();
    // The first character may be a sign.
    let dash = ends.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
    let end = |text: &str| text.trim().parse::<f64>().ok().filter(|end| end.is_finite());
    Some(Numbers { from: end(&ends[..dash])?, to: end(&ends[dash + 1..])?, count })
}

impl Numbers {
    /// The numbers as a link has them; `None` where they are more than a grid has cells.
    fn numbers(&self, whole: bool) -> Option<Vec<String>> {
        let width = self.to - self.from;
        let count = self.count.unwrap_or((width.abs().floor() as usize).saturating_add(1));
        let step = match self.count {
            Some(count) => width / count.max(2).saturating_sub(1) as f64,
            None => width.signum(),
        };
        // Decimals that a person would type: 0.1 + 0.2 is 0.3.
        let rounded = |v: f64| if whole { v.round() } else { (v * 1e6).round() / 1e6 };
        let number = |i: usize| rounded(self.from + i as f64 * step).to_string();
        let mut numbers: Vec<_> = (0..count.min(MOST_CELLS + 1)).map(number).collect();
        numbers.dedup();
        (count <= MOST_CELLS).then_some(numbers)
    }
}
