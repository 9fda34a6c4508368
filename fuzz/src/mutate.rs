//! Inputs made of other inputs.

/// SplitMix64 (Steele et al. 2014): the same inputs in every run.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is above 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// The longest input.
pub const LONGEST: usize = 1 << 16;

/// Numbers at which arithmetic on sizes, times and levels turns.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "3",
    "0.5",
    "1e-30",
    "255",
    "256",
    "65535",
    "65536",
    "1000000",
    "16777217",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "-1e308",
    "1e999",
    "NaN",
];

/// Bytes that stand for ends and marks.
const BYTES: [u8; 12] = [0, 1, 0x7f, 0x80, 0xff, b' ', b'\n', b'"', b',', b':', b'[', b'{'];

/// Tokens that are no words of any one format.
const MARKS: [&str; 20] = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "\"\"",
    "[[[[[[[[",
    "{\"a\":{\"a\":",
    "\\u0000",
    "\\ud800",
    "%00",
    "%F0%9F%98%80",
    "&amp;",
    "心",
    "\u{202e}",
    "e\u{301}",
    "\u{feff}",
    "😀",
    "\u{1f468}\u{200d}\u{1f469}",
    "İ",
];

/// A child of one of `corpus`, with one to six changes; `words` are those of the format.
pub fn mutated(random: &mut Random, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        change(random, &mut input, corpus, words);
    }
    input.truncate(LONGEST);
    input
}

fn change(random: &mut Random, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
    let at = random.below(input.len() + 1);
    match random.below(14) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = BYTES[random.below(BYTES.len())],
        2 if at < input.len() => input[at] = random.below(256) as u8,
        3 => drop(input.drain(at..end(random, input, at))),
        4 => {
            let part = input[at..end(random, input, at)].to_vec();
            let most = if random.below(20) == 0 { 200 } else { 3 };
            let many = 1 + random.below(most);
            let to = random.below(input.len() + 1);
            insert(input, to..to, &part.repeat(many));
        }
        5 if random.below(4) == 0 => input.truncate(at),
        6 => {
            // From here on another one.
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend(&other[from..]);
        }
        7 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            let part = other[from..end(random, other, from)].to_vec();
            insert(input, at..at, &part);
        }
        8 | 9 => {
            let number = random.pick(&NUMBERS).as_bytes();
            let place = number_near(input, at);
            insert(input, place, number);
        }
        10 => {
            // A number of four bytes, as binary formats have them.
            let n = [0, 1, 2, 255, 65_536, 1 << 20, 1 << 26, i32::MAX as u32, u32::MAX][random.below(9)];
            let bytes = if random.below(2) == 0 { n.to_be_bytes() } else { n.to_le_bytes() };
            let to = (at + 4).min(input.len());
            insert(input, at..to, &bytes);
        }
        11 => insert(input, at..at, random.pick(&MARKS).as_bytes()),
        _ if !words.is_empty() => {
            // In place of a word, or beside it.
            let word = random.pick(words).as_bytes();
            let place = if random.below(2) == 0 { word_near(input, at) } else { at..at };
            insert(input, place, word);
        }
        _ => {}
    }
    input.truncate(LONGEST);
}

fn insert(input: &mut Vec<u8>, place: std::ops::Range<usize>, bytes: &[u8]) {
    input.splice(place, bytes.iter().copied());
}

/// The end of a part that begins at `at`; most are short.
fn end(random: &mut Random, input: &[u8], at: usize) -> usize {
    let most = if random.below(4) == 0 { input.len() } else { 16 };
    (at + 1 + random.below(most.max(1))).min(input.len())
}

/// The number that stands at `at` or after it; a place without one if there is none.
fn number_near(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let digit = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let start = input[at..].iter().position(digit).map_or(at, |skipped| at + skipped);
    start..start + input[start..].iter().take_while(|b| digit(b)).count()
}

/// The word of letters that stands at `at` or after it.
fn word_near(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let start = input[at..].iter().position(letter).map_or(at, |skipped| at + skipped);
    start..start + input[start..].iter().take_while(|b| letter(b)).count()
}
