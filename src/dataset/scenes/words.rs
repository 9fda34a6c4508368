//! What emoji are called, in English and Chinese: names and keywords of the Unicode CLDR as the npm package `emojibase-data` holds
//! them.

use super::phrases::{COLOURS, COLOURS_ZH, GROUPS, LANGUAGES};
use crate::dataset::{DataError, broken, unreadable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A picture's words. Pairs are in the order of [`LANGUAGES`].
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Code points without the variation selector.
    pub code: String,
    /// Which of [`GROUPS`].
    pub group: usize,
    pub base: bool,
    /// Whether it is a variant by skin tone.
    pub tone: bool,
    pub name: [String; 2],
    /// The name without its colour.
    pub thing: [String; 2],
    pub tags: [Vec<String>; 2],
    /// Whether it is short enough to be one of several things of a caption.
    pub pairs: bool,
}

#[derive(Deserialize)]
struct Index {
    emoji: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    codepoints: Vec<String>,
    group: String,
    kind: String,
    skin_tone: bool,
}

#[derive(Clone, Deserialize)]
struct Word {
    label: String,
    hexcode: String,
    tags: Option<Vec<String>>,
    #[serde(default)]
    skins: Vec<Word>,
}

/// The words of every row of the packed pictures, in their order. `index` has their code points, and in the folder `captions` are
/// `en/data.json` and `zh/data.json`.
///
/// # Errors
/// Files that are missing or damaged, and a picture without words.
pub fn entries(index: &Path, captions: &Path) -> Result<Vec<Entry>, DataError> {
    let Index { emoji } = json(index, "an index of emoji")?;
    let mut words = Vec::new();
    for language in LANGUAGES {
        words.push(by_code(json(&captions.join(language).join("data.json"), "a list of emoji's names")?));
    }
    let missing = |code: &str| broken(captions, "a folder of words for every picture")(format!("{code} has none"));
    let entry = |row: &Row| {
        let code = key(&row.codepoints.join("-"));
        let said = |language: usize| words[language].get(&code).ok_or_else(|| missing(&code));
        let [en, zh] = [said(0)?, said(1)?];
        let group = GROUPS.iter().position(|(name, _)| *name == row.group);
        let group = group.ok_or_else(|| broken(index, "an index of emoji")(format!("the group {:?}", row.group)))?;
        Ok(Entry::new(row, code, group, [en, zh]))
    };
    emoji.iter().map(entry).collect()
}

fn json<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<T, DataError> {
    let text = fs::read_to_string(path).map_err(unreadable(path))?;
    serde_json::from_str(&text).map_err(broken(path, expected))
}

/// Code points without the variation selector, which the two sources put in different places.
fn key(hexcode: &str) -> String {
    let parts = hexcode.to_uppercase();
    let parts = parts.split('-').filter(|part| *part != "FE0F").map(|part| part.trim_start_matches('0'));
    parts.collect::<Vec<_>>().join("-")
}

/// A variant has its own name, and the keywords of its base where it has none.
fn by_code(rows: Vec<Word>) -> HashMap<String, Word> {
    let mut found = HashMap::new();
    for mut row in rows {
        let skins = std::mem::take(&mut row.skins);
        let tags = row.tags.clone();
        found.insert(key(&row.hexcode), row);
        for skin in skins {
            let tags = skin.tags.clone().or_else(|| tags.clone());
            found.insert(key(&skin.hexcode), Word { tags, ..skin });
        }
    }
    found
}

impl Entry {
    fn new(row: &Row, code: String, group: usize, words: [&Word; 2]) -> Self {
        let name = words.map(|word| word.label.trim().to_lowercase());
        let thing = [without_colour_en(&name[0]), without_colour_zh(&name[1])];
        let tags = |word: &Word| word.tags.iter().flatten().map(|tag| tag.trim().to_lowercase()).collect();
        let base = row.kind == "base";
        let among_others = !["People", "Symbols"].contains(&GROUPS[group].0);
        let pairs = base && is_plain(&thing[0]) && thing[1].chars().count() <= 5 && among_others;
        Self { code, group, base, tone: row.skin_tone, name, thing, tags: words.map(tags), pairs }
    }
}

/// Whether an English name is one or two words of letters, and none of those that join others.
fn is_plain(thing: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_lowercase())
            && !["with", "of", "and", "button", "face"].contains(&word)
    };
    thing.split(' ').count() <= 2 && thing.split(' ').all(word)
}

/// The name without `\b(light |dark )?(red|…|gray|white)\b ?`, or all of it where nothing would be left.
fn without_colour_en(name: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let (mut rest, mut inside) = (name, false);
    while let Some(first) = rest.chars().next() {
        let found = if inside || !is_word(first) { None } else { colour_word(rest, is_word) };
        let length = found.unwrap_or(first.len_utf8());
        if found.is_none() {
            out.push(first);
        }
        inside = rest[..length].chars().next_back().is_some_and(is_word);
        rest = &rest[length..];
    }
    let out = out.trim();
    if out.is_empty() { name.to_owned() } else { out.to_owned() }
}

/// How much of the beginning of `text` is a colour, with the space after it.
fn colour_word(text: &str, is_word: impl Fn(char) -> bool) -> Option<usize> {
    let shade = ["light ", "dark "].into_iter().find(|shade| text.starts_with(shade)).map_or(0, str::len);
    [shade, 0].into_iter().find_map(|shade| {
        let colours = COLOURS.iter().chain(&["gray", "white"]);
        let colour = colours.into_iter().find(|colour| {
            let after = text[shade..].strip_prefix(**colour);
            after.is_some_and(|after| !after.chars().next().is_some_and(&is_word))
        })?;
        let end = shade + colour.len();
        Some(end + usize::from(text[end..].starts_with(' ')))
    })
}

/// The name without `^(浅|深)?[红橙…白](色的?|(?=.))`, or all of it where nothing would be left.
fn without_colour_zh(name: &str) -> String {
    let rest = name.strip_prefix(['浅', '深']).unwrap_or(name);
    let Some(rest) = rest.strip_prefix(|c| c == '白' || COLOURS_ZH.iter().any(|colour| colour.starts_with(c))) else {
        return name.to_owned();
    };
    let rest = rest.strip_prefix('色').map_or(rest, |rest| rest.strip_prefix('的').unwrap_or(rest));
    if rest.is_empty() { name.to_owned() } else { rest.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `re` makes of these with the patterns of `training/captions.py`.
    #[test]
    fn a_thing_is_a_name_without_its_colour() {
        for (name, thing) in [
            ("red heart", "heart"),
            ("light blue heart", "heart"),
            ("light bulb", "light bulb"),
            ("heart on red square, white", "heart on square,"),
            ("blueberries", "blueberries"),
            ("orange", "orange"),
            ("white", "white"),
            ("infrared dog", "infrared dog"),
            ("red-hair", "-hair"),
            ("dark red", "dark red"),
        ] {
            assert_eq!(without_colour_en(name), thing, "{name}");
        }
        for (name, thing) in [
            ("红苹果", "苹果"),
            ("浅蓝色的心", "心"),
            ("白色", "白色"),
            ("橙", "橙"),
            ("浅红", "浅红"),
            ("深色", "深色"),
            ("猫", "猫"),
        ] {
            assert_eq!(without_colour_zh(name), thing, "{name}");
        }
        assert!(
            is_plain("hot dog") && !is_plain("cat face") && !is_plain("a b c") && !is_plain("a  b") && !is_plain("é")
        );
    }

    #[test]
    fn code_points_are_compared_without_the_variation_selector() {
        assert_eq!(key("0023-fe0f-20e3"), "23-20E3");
    }
}
