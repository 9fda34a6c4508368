//! The tokenizer of CLIP (Radford et al. 2021, arXiv 2103.00020): transformers' `CLIPTokenizer`.

use super::Prompt;
use super::bpe::Bpe;
use std::ops::Range;
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
    /// The words that have tokens, in their order.
    pub words: Vec<Word>,
    /// The words, as the tokenizer splits them, for which no place was left, in whole or in part.
    pub left_out: Vec<String>,
}

/// A word of a text, as the tokenizer splits it, in lower case; where words are not written apart, as in Chinese, the least
/// whole characters that have tokens of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub text: String,
    /// Which of the ids are its tokens.
    pub tokens: Range<usize>,
    /// How strong it is to be; 1 where nothing is said.
    pub weight: f64,
}

/// A part of the text that is encoded by itself.
enum Piece {
    Added(Added),
    Plain(String),
}

impl Tokenizer {
    /// The ids of `text` between the start and the end token, no more than [`length`](Self::length) in all.
    pub fn encode(&self, text: &str) -> Tokens {
        self.encode_prompt(&Prompt::plain(text))
    }

    /// The same of a prompt, each of whose parts is split by itself.
    pub fn encode_prompt(&self, prompt: &Prompt) -> Tokens {
        let (mut ids, mut words, mut left_out) = (vec![self.start], Vec::new(), Vec::new());
        let most = self.length - 1;
        for (part, weight) in prompt.parts() {
            for piece in self.pieces(part) {
                let (own, text) = match piece {
                    Piece::Added(token) => (vec![(token.id, token.content.len())], token.content),
                    // What is left out needs no ids, however long it is.
                    Piece::Plain(word) if ids.len() == most => (Vec::new(), word),
                    Piece::Plain(word) => (self.bpe.encode(&word), word),
                };
                let fitting = own.len().min(most - ids.len());
                words.extend(whole_words(&text, &own[..fitting], ids.len(), *weight));
                ids.extend(own[..fitting].iter().map(|(id, _)| *id));
                if fitting < own.len() || own.is_empty() {
                    left_out.push(text);
                }
            }
        }
        ids.push(self.end);
        Tokens { ids, words, left_out }
    }

    /// As [`encode`](Self::encode), filled up to [`length`](Self::length) with the padding token.
    pub fn encode_padded(&self, text: &str) -> Tokens {
        self.encode_prompt_padded(&Prompt::plain(text))
    }

    /// The same of a prompt.
    pub fn encode_prompt_padded(&self, prompt: &Prompt) -> Tokens {
        let mut tokens = self.encode_prompt(prompt);
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

    fn pieces(&self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in split_off(text, self.added.iter().filter(|token| !token.normalized)) {
            let raw = match part {
                Piece::Added(_) => {
                    pieces.push(part);
                    continue;
                }
                Piece::Plain(raw) => raw,
            };
            let normal = normalised(&raw);
            for part in split_off(&normal, self.added.iter().filter(|token| token.normalized)) {
                match part {
                    Piece::Added(_) => pieces.push(part),
                    Piece::Plain(plain) => pieces.extend(split(&plain).map(|word| Piece::Plain(word.to_owned()))),
                }
            }
        }
        pieces
    }
}

/// `text` with every occurrence of an added token apart; the leftmost is taken, and of several there the longest.
fn split_off<'a>(text: &str, added: impl Iterator<Item = &'a Added> + Clone) -> Vec<Piece> {
    let (mut parts, mut rest, mut at) = (Vec::new(), text, 0);
    while at < rest.len() {
        let here = added.clone().filter(|token| rest[at..].starts_with(&token.content));
        match here.max_by_key(|token| token.content.len()) {
            Some(token) => {
                parts.push(Piece::Plain(rest[..at].to_owned()));
                parts.push(Piece::Added(token.clone()));
                (rest, at) = (&rest[at + token.content.len()..], 0);
            }
            None => at += rest[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(Piece::Plain(rest.to_owned()));
    parts
}

/// A word and its tokens, the first of which has the number `at`. Words of letters that stand for syllables or whole words are
/// told apart wherever a token ends with a character.
fn whole_words(text: &str, tokens: &[(u32, usize)], at: usize, weight: f64) -> Vec<Word> {
    let apart = text.chars().any(stands_alone);
    let (mut words, mut begun, mut end) = (Vec::new(), (0, at), 0);
    for (i, (_, bytes)) in tokens.iter().enumerate() {
        end += bytes;
        let last = i + 1 == tokens.len();
        if last || apart && text.is_char_boundary(end) {
            let next = at + i + 1;
            let end = (end..text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
            words.push(Word { text: text[begun.0..end].to_owned(), tokens: begun.1..next, weight });
            begun = (end, next);
        }
    }
    words
}

/// Whether a character is one of a script that writes words without spaces between them: Han, kana, Thai and the like.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The words that a text is split into, in which bytes are merged.
pub fn words(text: &str) -> Vec<String> {
    split(&normalised(text)).map(str::to_owned).collect()
}

fn normalised(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
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
