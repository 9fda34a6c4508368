//! A tokenizer of CLIP's kind with merges of our own: byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) of lower-case words.

use crate::pipeline::text::{END, END_OF_WORD, START, symbol, words};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::path::Path;
use std::{fs, io};

/// Tokens in the order of their ids, and the pairs that are merged, the most frequent first.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    pub tokens: Vec<String>,
    pub merges: Vec<[String; 2]>,
}

/// A number of a symbol, while merges are looked for.
type Id = usize;

impl Vocabulary {
    /// The start and the end token, and every byte twice.
    pub const LEAST: usize = 2 + 2 * 256;

    /// Learns at most `size` tokens from texts. Every byte is a token, within a word and at its end, so that no text is unknown, and
    /// a token is of whole characters, or of a part of one: Chinese is written without spaces, and a token that took in the first
    /// byte of the next word would hide that word.
    ///
    /// Merges are learnt as if there were no such rule, twice as many as there is room for; those that keep to it, stay. Of pairs
    /// that are equally frequent, the one of older symbols goes first.
    pub fn learn(texts: impl Iterator<Item = String>, size: usize) -> Self {
        let mut letters: Vec<String> = (0..=255).map(|byte| symbol(byte).to_string()).collect();
        letters.sort_unstable();
        let base = [START, END].map(str::to_owned).into_iter().chain(letters.iter().cloned());
        let last = letters.iter().map(|letter| format!("{letter}{END_OF_WORD}"));
        let mut tokens: Vec<String> = base.chain(last).collect();
        let mut known: BTreeSet<String> = tokens.iter().cloned().collect();
        let mut merges = Vec::new();
        for [one, other] in Learner::new(texts, &letters).pairs(2 * size) {
            let joined = format!("{one}{other}");
            if tokens.len() == size {
                break;
            } else if known.contains(&one) && known.contains(&other) && is_whole(&joined) {
                if known.insert(joined.clone()) {
                    tokens.push(joined);
                }
                merges.push([one, other]);
            }
        }
        Self { tokens, merges }
    }

    /// Writes the files that transformers' `CLIPTokenizer` reads, for texts of `length` tokens.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn save(&self, out: &Path, length: usize) -> io::Result<()> {
        fs::create_dir_all(out)?;
        let entry = |(id, token): (usize, &String)| format!("{}: {id}", json!(token));
        let vocab: Vec<String> = self.tokens.iter().enumerate().map(entry).collect();
        let lines: String = self.merges.iter().map(|[one, other]| format!("{one} {other}\n")).collect();
        let special = json!({ "bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END });
        let mut config = special.clone();
        config["add_prefix_space"] = json!(false);
        config["do_lower_case"] = json!(true);
        config["model_max_length"] = json!(length);
        config["tokenizer_class"] = json!("CLIPTokenizer");
        fs::write(out.join("merges.txt"), format!("#version: 0.2\n{lines}"))?;
        fs::write(out.join("tokenizer_config.json"), format!("{config:#}\n"))?;
        fs::write(out.join("special_tokens_map.json"), format!("{special:#}\n"))?;
        // Last, as it is looked for where a run goes on.
        fs::write(out.join("vocab.json"), format!("{{{}}}", vocab.join(", ")))
    }
}

/// Whether a token is of whole characters, or a part of one.
fn is_whole(token: &str) -> bool {
    let letters = token.strip_suffix(END_OF_WORD).unwrap_or(token);
    let byte = |letter: char| (0..=255).find(|byte| symbol(*byte) == letter);
    let bytes: Vec<u8> = letters.chars().filter_map(byte).collect();
    let begins: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i] & 0xc0 != 0x80).collect();
    str::from_utf8(&bytes).is_ok() || bytes.len() <= 3 && (begins.is_empty() || begins == [0] && bytes[0] >= 0xc0)
}

/// The words of texts as symbols, of which the most frequent pairs become one.
#[derive(Default)]
struct Learner {
    symbols: Vec<String>,
    ids: HashMap<String, Id>,
    /// Symbols of a word, and how often the word occurs.
    words: Vec<(Vec<Id>, i64)>,
    counts: HashMap<[Id; 2], i64>,
    /// The words in which a pair occurs, or did.
    places: HashMap<[Id; 2], BTreeSet<usize>>,
}

impl Learner {
    fn new(texts: impl Iterator<Item = String>, letters: &[String]) -> Self {
        let mut occurrences: BTreeMap<String, i64> = BTreeMap::new();
        for word in texts.flat_map(|text| words(&text)) {
            *occurrences.entry(word).or_default() += 1;
        }
        let mut learner = Self::default();
        for symbol in [START, END].into_iter().chain(letters.iter().map(String::as_str)) {
            learner.id(symbol.to_owned());
        }
        for (word, count) in occurrences {
            let end = word.len() - 1;
            let letter = |(i, byte): (usize, u8)| {
                let end = if i == end { END_OF_WORD } else { "" };
                learner.id(format!("{}{end}", symbol(byte)))
            };
            let symbols: Vec<Id> = word.bytes().enumerate().map(letter).collect();
            learner.words.push((symbols, count));
        }
        for word in 0..learner.words.len() {
            learner.count(word, 1);
        }
        learner
    }

    fn id(&mut self, symbol: String) -> Id {
        *self.ids.entry(symbol).or_insert_with_key(|symbol| {
            self.symbols.push(symbol.clone());
            self.symbols.len() - 1
        })
    }

    /// Adds the pairs of a word to the counts, or takes them away.
    fn count(&mut self, word: usize, sign: i64) {
        let (symbols, count) = &self.words[word];
        for pair in symbols.windows(2).map(|pair| [pair[0], pair[1]]) {
            *self.counts.entry(pair).or_default() += sign * count;
            if sign > 0 {
                self.places.entry(pair).or_default().insert(word);
            }
        }
    }

    /// The pairs in the order in which they are merged, until there are `most` symbols or no pair is left.
    fn pairs(mut self, most: usize) -> Vec<[String; 2]> {
        let mut queue: BinaryHeap<(i64, Reverse<[Id; 2]>)> =
            self.counts.iter().map(|(pair, count)| (*count, Reverse(*pair))).collect();
        let mut merged = Vec::new();
        while self.symbols.len() < most
            && let Some((count, Reverse(pair))) = queue.pop()
        {
            let now = self.counts.get(&pair).copied().unwrap_or(0);
            if now <= 0 || now != count {
                continue; // It has another entry, or none.
            }
            let names = pair.map(|id| self.symbols[id].clone());
            let joined = self.id(names.concat());
            merged.push(names);
            let mut changed = BTreeSet::new();
            for word in self.places.remove(&pair).unwrap_or_default() {
                let before: BTreeSet<[Id; 2]> = self.pairs_of(word).collect();
                self.count(word, -1);
                join(&mut self.words[word].0, pair, joined);
                self.count(word, 1);
                changed.extend(before);
                changed.extend(self.pairs_of(word));
            }
            changed.remove(&pair);
            queue.extend(changed.into_iter().map(|pair| (self.counts[&pair], Reverse(pair))));
        }
        merged
    }

    fn pairs_of(&self, word: usize) -> impl Iterator<Item = [Id; 2]> + '_ {
        self.words[word].0.windows(2).map(|pair| [pair[0], pair[1]])
    }
}

/// Puts `joined` in the place of every pair, from the left.
fn join(symbols: &mut Vec<Id>, pair: [Id; 2], joined: Id) {
    let mut out = Vec::with_capacity(symbols.len());
    let mut rest = symbols.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        if rest.starts_with(&pair) {
            out.push(joined);
            rest = &rest[2..];
        } else {
            out.push(first);
            rest = after;
        }
    }
    *symbols = out;
}
