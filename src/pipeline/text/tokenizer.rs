//! The tokenizer of CLIP (Radford et al. 2021, arXiv 2103.00020): transformers' `CLIPTokenizer`.

use super::bpe::Bpe;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The contractions that are words of their own, in the order in which they are tried.
const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// What the pattern splits off whole wherever it meets it, and the parts that byte-level splitting then makes of it.
const MARKS: [(&str, [&str; 3]); 2] =
    [("<|startoftext|>", ["<|", "startoftext", "|>"]), ("<|endoftext|>", ["<|", "endoftext", "|>"])];

/// From text to token ids.
///
/// Added tokens are found first. The rest is brought to NFC and lower case, split into words, and the bytes of each word
/// are merged.
pub struct Tokenizer {
    pub(super) bpe: Bpe,
    pub(super) added: Vec<Added>,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) padding: u32,
    pub(super) length: usize,
}

/// A token that is found in the text as it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Added {
    pub content: String,
    pub id: u32,
    /// Whether it is looked for after the text has been normalised, and not before.
    pub normalized: bool,
}

/// What a tokenizer makes of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// The start token, those of the text, and the end token.
    pub ids: Vec<u32>,
    /// The words, as the tokenizer splits them, for which no place was left, in whole or in part.
    pub left_out: Vec<String>,
}

/// A part of the text that is encoded by itself.
enum Word {
    Added(Added),
    Plain(String),
}

impl Tokenizer {
    /// The ids of `text` between the start and the end token, no more than [`length`](Self::length) in all.
    pub fn encode(&self, text: &str) -> Tokens {
        let (mut ids, mut left_out) = (vec![self.start], Vec::new());
        let most = self.length - 1;
        for word in self.words(text) {
            let (own, word) = match word {
                Word::Added(token) => (vec![token.id], token.content),
                // What is left out needs no ids, however long it is.
                Word::Plain(word) if ids.len() == most => (Vec::new(), word),
                Word::Plain(word) => (self.bpe.encode(&word), word),
            };
            let fitting = own.len().min(most - ids.len());
            if ids.len() == most || fitting < own.len() {
                left_out.push(word);
            }
            ids.extend(&own[..fitting]);
        }
        ids.push(self.end);
        Tokens { ids, left_out }
    }

    /// As [`encode`](Self::encode), filled up to [`length`](Self::length) with the padding token.
    pub fn encode_padded(&self, text: &str) -> Tokens {
        let mut tokens = self.encode(text);
        tokens.ids.resize(self.length, self.padding);
        tokens
    }

    /// The most ids that the text encoder takes, the start and the end token among them.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The largest id that it gives.
    pub fn largest(&self) -> u32 {
        let special = [self.start, self.end, self.padding, self.bpe.largest()];
        self.added.iter().map(|token| token.id).chain(special).max().unwrap_or(0)
    }

    fn words(&self, text: &str) -> Vec<Word> {
        let mut words = Vec::new();
        for part in split_off(text, self.added.iter().filter(|token| !token.normalized)) {
            let raw = match part {
                Word::Added(_) => {
                    words.push(part);
                    continue;
                }
                Word::Plain(raw) => raw,
            };
            let normal: String = raw.nfc().flat_map(char::to_lowercase).collect();
            for part in split_off(&normal, self.added.iter().filter(|token| token.normalized)) {
                match part {
                    Word::Added(_) => words.push(part),
                    Word::Plain(plain) => words.extend(split(&plain).map(|word| Word::Plain(word.to_owned()))),
                }
            }
        }
        words
    }
}

/// `text` with every occurrence of an added token apart; the leftmost is taken, and of several there the longest.
fn split_off<'a>(text: &str, added: impl Iterator<Item = &'a Added> + Clone) -> Vec<Word> {
    let (mut parts, mut rest, mut at) = (Vec::new(), text, 0);
    while at < rest.len() {
        let here = added.clone().filter(|token| rest[at..].starts_with(&token.content));
        match here.max_by_key(|token| token.content.len()) {
            Some(token) => {
                parts.push(Word::Plain(rest[..at].to_owned()));
                parts.push(Word::Added(token.clone()));
                (rest, at) = (&rest[at + token.content.len()..], 0);
            }
            None => at += rest[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(Word::Plain(rest.to_owned()));
    parts
}

/// The words of normalised text. White space parts words, and a word is a contraction, letters, one digit, or whatever
/// else stands together.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut marks: &'static [&'static str] = &[];
    std::iter::from_fn(move || {
        if let Some((first, others)) = marks.split_first() {
            marks = others;
            return Some(*first);
        }
        rest = rest.trim_start_matches(char::is_whitespace);
        let kind = Kind::of(rest.chars().next()?);
        if let Some((mark, parts)) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark)) {
            rest = &rest[mark.len()..];
            marks = &parts[1..];
            return Some(parts[0]);
        }
        let contraction = CONTRACTIONS.iter().find(|c| rest.starts_with(**c)).map(|c| c.len());
        let length = contraction.unwrap_or_else(|| match kind {
            Kind::Digit => rest.chars().next().map_or(0, char::len_utf8),
            _ => rest.find(|c| Kind::of(c) != kind).unwrap_or(rest.len()),
        });
        let word;
        (word, rest) = rest.split_at(length);
        Some(word)
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Space,
    Letter,
    Digit,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match c.general_category_group() {
            _ if c.is_whitespace() => Self::Space,
            GeneralCategoryGroup::Letter => Self::Letter,
            GeneralCategoryGroup::Number => Self::Digit,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_into_words() {
        for (text, words) in [
            ("it's 3.14 'sun'", vec!["it", "'s", "3", ".", "1", "4", "'s", "un", "'"]),
            ("one,two — 三", vec!["one", ",", "two", "—", "三"]),
            ("a\u{301}\u{a0}b ", vec!["a", "\u{301}", "b"]),
            ("<|endoftext|>!", vec!["<|", "endoftext", "|>", "!"]),
            ("!<|endoftext|>", vec!["!<|", "endoftext", "|>"]),
            (" ", vec![]),
        ] {
            assert_eq!(split(text).collect::<Vec<_>>(), words, "{text}");
        }
    }
}
