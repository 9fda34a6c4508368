//! What mail programs, chats and forums do to a link, undone.
//!
//! No key or value of a link has an `&`, an `=` or a `#` in it (those of a text of a person's own are escaped), so wherever one of them is escaped, it once was a
//! separator.

use percent_encoding::percent_decode_str;

pub(super) struct Repaired {
    /// Keys with their values, decoded; a key that stands alone has none.
    pub pairs: Vec<(String, Option<String>)>,
    /// What was repaired, as a person would name it.
    pub found: Vec<&'static str>,
}

/// Forms of the separators, and what they were.
pub(super) const ESCAPED: [(&str, &str); 13] = [
    ("&amp;", "&"),
    ("&amp%3b", "&"),
    ("%26amp%3b", "&"),
    ("%26amp;", "&"),
    ("&#38;", "&"),
    ("&#x26;", "&"),
    ("&#61;", "="),
    ("&equals;", "="),
    ("%26", "&"),
    ("%3d", "="),
    ("%23", "#"),
    ("＆", "&"),
    ("＝", "="),
];

/// Characters that nobody sees.
pub(super) const INVISIBLE: [char; 8] =
    ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{200e}', '\u{200f}'];

/// Marks that belong to the sentence around a link.
pub(super) const TRAILING: &[char] =
    &[')', ']', '}', '.', ',', ';', '!', '?', '>', '"', '\'', '`', '*', '”', '’', '»', '。', '，', '）', '、'];

/// How often one text may have been escaped.
const LAYERS: usize = 4;

pub(super) fn repaired(text: &str) -> Repaired {
    let mut found = Vec::new();
    let mut note = |what: &'static str, happened: bool| {
        if happened && !found.contains(&what) {
            found.push(what);
        }
    };
    let text = text.trim();
    let visible: String = text.chars().filter(|c| !INVISIBLE.contains(c)).collect();
    note("an invisible character", visible != text);
    let mut hash = hash_of(&visible).to_owned();
    for _ in 0..LAYERS {
        let before = hash.clone();
        for (escaped, mark) in ESCAPED {
            let unescaped = replace_ignoring_case(&hash, escaped, mark);
            note(if mark == "&" { "an escaped &" } else { "an escaped =" }, mark != "#" && unescaped != hash);
            hash = unescaped;
        }
        // Escaped twice: the percent signs themselves.
        let unescaped = ["%2526", "%253d", "%2523"].iter().fold(hash.clone(), |hash, escaped| {
            replace_ignoring_case(&hash, escaped, &escaped.replacen("%25", "%", 1))
        });
        hash = unescaped;
        if hash == before {
            break;
        }
    }
    let inner = hash.trim_start_matches('#');
    note("a second #", inner.contains('#') || inner.len() < hash.len());
    let parts = inner.split(['&', '#']).filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = parts.map(|pair| part(pair, &mut note)).collect();
    // A pasted sentence goes on after the link.
    if let Some((key, value)) = pairs.last_mut() {
        let end = value.as_mut().unwrap_or(key);
        let trimmed = end.trim_end_matches(TRAILING);
        note("punctuation at the end", trimmed.len() < end.len());
        *end = trimmed.to_owned();
    }
    Repaired { pairs, found }
}

/// What follows the first `#`, also an escaped one; of an address that has none, nothing, and of another text all.
fn hash_of(text: &str) -> &str {
    if let Some((_, hash)) = text.split_once('#').filter(|(before, _)| !before.ends_with('&')) {
        return hash;
    }
    match text.find("%23") {
        _ if !text.contains("://") => text,
        Some(at) => &text[at + "%23".len()..],
        None => "",
    }
}

/// One key with its value, decoded and without white space around either.
fn part(pair: &str, note: &mut impl FnMut(&'static str, bool)) -> (String, Option<String>) {
    let mut decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
        let visible: String = decoded.chars().filter(|c| !INVISIBLE.contains(c)).collect();
        note("an invisible character", visible != decoded);
        let trimmed = visible.trim();
        note("white space", trimmed != visible);
        trimmed.to_owned()
    };
    match pair.split_once('=') {
        Some((key, value)) => (decode(key), Some(decode(value))),
        None => (decode(pair), None),
    }
}

fn replace_ignoring_case(text: &str, escaped: &str, mark: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_ignoring_case(rest, escaped) {
        out.push_str(&rest[..at]);
        out.push_str(mark);
        rest = &rest[at + escaped.len()..];
    }
    out + rest
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}
