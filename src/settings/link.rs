//! Links: the one reader and the one writer. A link is the hash of the page's address, `#key=value&key=value`; that of
//! the lab begins with `#lab`.

pub(super) mod free;
mod repair;

use super::Page;
use super::problem::{Problem, Reason};
use super::table::Row;
use super::value::Value;
use crate::words::nearest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use repair::Repaired;

/// What stands in a link as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b',')
    .remove(b':')
    .remove(b'~')
    .remove(b'/')
    .remove(b'@');

/// Keys that mail programs and social networks add to every address.
const TRACKING: [&str; 12] = [
    "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "twclid", "ttclid", "igshid", "yclid", "mc_cid",
    "mc_eid",
];

/// Settings that a link carries.
pub trait Linked: Clone + Default + 'static {
    /// The word that the link begins with.
    const VIEW: Option<&'static str>;
    const TABLE: &'static [Row<Self>];
    /// The rows of the page's own keys.
    const PAGE: &'static [Row<Page>];

    /// Takes the values of keys that are not in the table; each problem is named.
    fn take_others(&mut self, others: Vec<(String, Value)>) -> Vec<Problem> {
        let known = || Self::TABLE.iter().map(|row| row.key).chain(Self::PAGE.iter().map(|row| row.key));
        others.iter().filter_map(|(key, value)| unknown(key, value, known())).collect()
    }

    /// The values that are set and not in the table.
    fn others(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The row of a key.
    fn row(key: &str) -> Option<&'static Row<Self>> {
        Self::TABLE.iter().find(|row| row.key == key)
    }

    /// Takes values by their keys. One that cannot be used changes nothing and is named.
    fn take(&mut self, page: &mut Page, pairs: Vec<(String, Value)>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut others = Vec::new();
        for (key, value) in pairs {
            let page_row = || Self::PAGE.iter().find(|row| row.key == key);
            let taken = match (Self::row(&key), page_row()) {
                (Some(row), _) => row.set(self, &value),
                (None, Some(row)) => row.set(page, &value),
                (None, None) => {
                    others.push((key, value));
                    continue;
                }
            };
            problems.extend(taken.err());
        }
        problems.extend(self.take_others(others));
        problems
    }

    /// The values of a link by their keys, texts of people as they were before they were written into it.
    fn pairs(link: &Link) -> Vec<(String, Value)> {
        let page = |key: &str| Self::PAGE.iter().any(|row| row.key == key && row.free);
        let value = |(key, value): &(String, Value)| match value {
            Value::Text(text) if Self::row(key).map_or_else(|| page(key), |row| row.free) => {
                (key.clone(), Value::Text(free::unescaped(text)))
            }
            _ => (key.clone(), value.clone()),
        };
        link.pairs.iter().map(value).collect()
    }

    /// The value of a key, if it has one.
    fn value(&self, page: &Page, key: &str) -> Option<Value> {
        let page_value = || Some(Self::PAGE.iter().find(|row| row.key == key)?.get(page));
        let other = || self.others().into_iter().find(|(id, _)| *id == key).map(|(_, value)| value);
        let value = Self::row(key).map(|row| row.get(self)).or_else(page_value).or_else(other);
        value.filter(|value| *value != Value::from(""))
    }

    /// Every key with its value; those of the sampler's parameters and of the page only where they are set.
    fn record(&self, page: &Page) -> Vec<(&'static str, Value)> {
        let mut record: Vec<_> = Self::TABLE.iter().map(|row| (row.key, row.get(self))).collect();
        record.extend(self.others());
        record.extend(set_in(Self::PAGE, page).map(|row| (row.key, row.get(page))));
        record
    }

    /// The hash that reads back to these settings.
    fn write_link(&self, page: &Page) -> String {
        self.write_link_of(page, |_| true)
    }

    /// The same of the rows that `acts` holds of; the others have no place in what the link shows.
    fn write_link_of(&self, page: &Page, acts: impl Fn(&Row<Self>) -> bool) -> String {
        let rows = Self::TABLE.iter().filter(|row| acts(row) && (row.always || row.get(self) != row.default()));
        let mut pairs: Vec<_> = rows.map(|row| (row.key, in_link(row, row.get(self)))).collect();
        pairs.extend(self.others());
        pairs.extend(set_in(Self::PAGE, page).map(|row| (row.key, in_link(row, row.get(page)))));
        hash(Self::VIEW, pairs)
    }

    /// The hash with these values and no others.
    fn link_of(pairs: &[(String, Value)]) -> String {
        let written =
            |(key, value): &(String, Value)| Self::row(key).map_or(value.clone(), |row| in_link(row, value.clone()));
        hash(Self::VIEW, pairs.iter().map(|pair| (pair.0.as_str(), written(pair))).collect())
    }
}

fn hash(view: Option<&str>, pairs: Vec<(&str, Value)>) -> String {
    let written = |(key, value): (&str, Value)| format!("{key}={}", utf8_percent_encode(&value.to_string(), VALUE));
    let parts = view.map(str::to_owned).into_iter().chain(pairs.into_iter().map(written));
    format!("#{}", parts.collect::<Vec<_>>().join("&"))
}

/// The rows that are not at their default.
fn set_in<S: Default>(table: &'static [Row<S>], settings: &S) -> impl Iterator<Item = &'static Row<S>> {
    table.iter().filter(|row| row.get(settings) != row.default())
}

/// A value of a row as a link has it.
fn in_link<S>(row: &Row<S>, value: Value) -> Value {
    match value {
        Value::Text(text) if row.free => Value::Text(free::escaped(&text)),
        value => value,
    }
}

/// Names a key that is none of `known`; those that others add to addresses to follow people are passed over.
pub(super) fn unknown(key: &str, value: &Value, known: impl Iterator<Item = &'static str>) -> Option<Problem> {
    let tracking = key.starts_with("utm_") || TRACKING.contains(&key);
    (!tracking).then(|| Problem::new(key, value, Reason::UnknownKey { nearest: nearest(key, known) }))
}

/// The keys and values of a link.
pub struct Link {
    pub pairs: Vec<(String, Value)>,
    /// The word that it begins with, such as `lab`.
    pub view: Option<String>,
    /// What had to be repaired.
    pub problem: Option<Problem>,
}

impl Link {
    /// Reads a whole address, or only its hash.
    pub fn new(text: &str) -> Self {
        let Repaired { pairs, mut found } = repair::repaired(text);
        let other = |key: &str, value: &Option<String>| pairs.iter().any(|(k, v)| k == key && v != value);
        if pairs.iter().any(|(key, value)| other(key, value)) {
            found.push("a key that stands twice, of which the last is taken");
        }
        let mut pairs = pairs.into_iter();
        let mut first = pairs.next();
        let view = first.take_if(|(key, value)| value.is_none() && key == "lab").map(|(key, _)| key);
        let pairs = first.into_iter().chain(pairs);
        let pairs = pairs.filter(|(key, _)| !key.is_empty());
        let pairs = pairs.map(|(key, value)| (key, Value::Text(value.unwrap_or_default()))).collect();
        let problem = (!found.is_empty()).then(|| Problem::new("link", text.trim(), Reason::Repaired { found }));
        Self { pairs, view, problem }
    }

    pub fn has(&self, key: &str) -> bool {
        self.pairs.iter().any(|(known, _)| known == key)
    }

    /// The text of a key; of several, the last.
    pub fn text(&self, key: &str) -> Option<String> {
        self.pairs.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.to_string())
    }
}
