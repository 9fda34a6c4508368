//! Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) of the bytes of a word, as CLIP and GPT-2 do it.

use super::TokenizerError;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Ends the last symbol of a word.
pub const END_OF_WORD: &str = "</w>";

/// The merges of a vocabulary, by id.
pub(super) struct Bpe {
    /// The id of each byte, and of each byte that ends a word.
    bytes: [u32; 256],
    last_bytes: [u32; 256],
    /// Rank of a pair, and the id that it becomes.
    merges: HashMap<(u32, u32), (usize, u32)>,
}

impl Bpe {
    /// `merges` in their order, the most frequent pair first. A byte that `vocab` lacks becomes `unknown`.
    ///
    /// # Errors
    /// A merge of, or into, a symbol that the vocabulary does not have.
    pub fn new<'a>(
        vocab: &HashMap<String, u32>,
        merges: impl Iterator<Item = (&'a str, &'a str)>,
        unknown: u32,
    ) -> Result<Self, TokenizerError> {
        let id = |symbol: &str| vocab.get(symbol).copied();
        let merge = |(rank, (left, right)): (usize, (&str, &str))| {
            let known = |symbol: String| id(&symbol).ok_or(TokenizerError::Merge { line: rank + 1, symbol });
            let pair = (known(left.to_owned())?, known(right.to_owned())?);
            Ok((pair, (rank, known(format!("{left}{right}"))?)))
        };
        let symbols: Vec<String> = (0..=255).map(|byte| symbol(byte).to_string()).collect();
        Ok(Self {
            bytes: std::array::from_fn(|byte| id(&symbols[byte]).unwrap_or(unknown)),
            last_bytes: std::array::from_fn(|byte| id(&format!("{}{END_OF_WORD}", symbols[byte])).unwrap_or(unknown)),
            merges: merges.enumerate().map(merge).collect::<Result<_, _>>()?,
        })
    }

    /// The largest id that [`encode`](Self::encode) gives.
    pub fn largest(&self) -> u32 {
        let merged = self.merges.values().map(|(_, id)| *id);
        self.bytes.into_iter().chain(self.last_bytes).chain(merged).max().unwrap_or(0)
    }

    /// The tokens of `word`, each with its id and the number of bytes that it stands for: the pair of the lowest rank is merged,
    /// the leftmost first, until no pair is left.
    pub fn encode(&self, word: &str) -> Vec<(u32, usize)> {
        let Some((last, bytes)) = word.as_bytes().split_last() else { return Vec::new() };
        let ids = bytes.iter().map(|b| self.bytes[usize::from(*b)]).chain([self.last_bytes[usize::from(*last)]]);
        // Each symbol with the place of the next one; a symbol that was merged away has no id.
        let mut symbols: Vec<(Option<u32>, usize)> = ids.enumerate().map(|(i, id)| (Some(id), i + 1)).collect();
        let mut before: Vec<usize> = (0..symbols.len()).map(|i| i.wrapping_sub(1)).collect();
        let find = |symbols: &[(Option<u32>, usize)], left: usize| {
            let &(id, next) = symbols.get(left)?;
            let (rank, merged) = self.merges.get(&(id?, symbols.get(next)?.0?))?;
            Some(Reverse((*rank, left, *merged)))
        };
        let mut queue: BinaryHeap<_> = (0..symbols.len()).filter_map(|left| find(&symbols, left)).collect();
        while let Some(candidate @ Reverse((_, left, merged))) = queue.pop() {
            // One of the two may have become part of another symbol since.
            if find(&symbols, left) != Some(candidate) {
                continue;
            }
            let right = symbols[left].1;
            let next = symbols[right].1;
            symbols[left] = (Some(merged), next);
            symbols[right].0 = None;
            if let Some(place) = before.get_mut(next) {
                *place = left;
            }
            queue.extend([before[left], left].into_iter().filter_map(|left| find(&symbols, left)));
        }
        symbols.into_iter().enumerate().filter_map(|(at, (id, next))| Some((id?, next - at))).collect()
    }
}

/// The character that a byte is written as in a vocabulary: itself where it is a visible one of Latin-1, and else the next
/// one after Latin-1 (`bytes_to_unicode` of GPT-2).
pub fn symbol(byte: u8) -> char {
    let visible = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    if visible(byte) {
        return char::from(byte);
    }
    let hidden_before = (0..byte).filter(|b| !visible(*b)).count() as u32;
    char::from_u32(256 + hidden_before).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        let mut all: Vec<char> = (0..=255).map(symbol).collect();
        assert_eq!((symbol(b'a'), symbol(b' '), symbol(0), symbol(0xAD)), ('a', 'Ġ', 'Ā', 'Ń'));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 256);
    }

    #[test]
    fn the_lowest_rank_goes_first_and_the_leftmost_of_it() {
        let symbols = ["a", "b", "a</w>", "b</w>", "ab", "aa", "ab</w>", "aab</w>"];
        let vocab = symbols.iter().zip(0..).map(|(s, id)| ((*s).to_owned(), id)).collect();
        let bpe = |merges: &[(&'static str, &'static str)]| Bpe::new(&vocab, merges.iter().copied(), 99).unwrap();
        assert_eq!(bpe(&[]).encode("ab"), [(0, 1), (3, 1)]);
        assert_eq!(bpe(&[("a", "a")]).encode("aaab"), [(5, 2), (0, 1), (3, 1)]);
        assert_eq!(bpe(&[("a", "b</w>"), ("a", "a")]).encode("aaab"), [(5, 2), (6, 2)]);
        assert_eq!(bpe(&[("a", "b</w>"), ("a", "ab</w>"), ("a", "a")]).encode("aaab"), [(0, 1), (7, 3)]);
        assert_eq!(bpe(&[]).encode("c"), [(99, 1)]);
        assert!(bpe(&[]).encode("").is_empty());
        let refused = Bpe::new(&vocab, [("a", "b"), ("b", "a")].into_iter(), 0).err().map(|e| e.to_string());
        assert!(refused.is_some_and(|e| e.contains("\"ba\"") && e.contains('2')));
    }
}
