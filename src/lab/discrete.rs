//! Masked (absorbing-state) diffusion of words, with the exact denoiser.
//!
//! The forward process is the absorbing one of D3PM (Austin et al. 2021, arXiv 2107.03006, section 3.1): a letter is itself with
//! probability `alpha_t` and masked otherwise, and what is masked stays masked. Posterior and bound are in the form of MDLM (Sahoo
//! et al. 2024, arXiv 2406.07524, sections 3.2 and 3.3). Words are so few and short that everything else is a finite sum.

use super::cloud::Stream;
use crate::math::TorchGenerator;
use std::f64::consts::FRAC_PI_2;

/// A letter that is masked.
pub const MASK: u8 = u8::MAX;

/// How the share of letters that are not masked falls with the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// `1 - t`: of `1/T` of the letters in each of `T` steps (Austin et al. 2021, section 3.1).
    Linear,
    /// `1 - cos(pi/2 (1 - t))`: few letters are shown at first, when little is known (Chang et al. 2022, arXiv 2202.04200, section 3.3).
    Cosine,
}

impl Masking {
    pub const ALL: [(&'static str, Self); 2] = [("linear", Self::Linear), ("cosine", Self::Cosine)];

    /// `alpha_t`, from 1 at time 0 to 0 at time 1.
    pub fn alpha(self, t: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - t,
            // The ends without rounding: nothing is masked, and everything.
            Self::Cosine if t <= 0.0 => 1.0,
            Self::Cosine => 1.0 - libm::cos(FRAC_PI_2 * (1.0 - t)),
        }
    }

    /// The time at which `alpha_t` is this.
    pub fn time(self, alpha: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - alpha,
            Self::Cosine => 1.0 - libm::acos(1.0 - alpha) / FRAC_PI_2,
        }
    }

    /// `alpha_t` at the times `1, 1 - 1/T, .., 0` of `T` steps.
    fn alphas(self, steps: usize) -> impl Iterator<Item = [f64; 2]> + Clone {
        let alpha = move |step: usize| self.alpha(1.0 - step as f64 / steps as f64);
        (0..steps).map(move |step| [alpha(step), alpha(step + 1)])
    }
}

/// `q(x_s | x_t, x_0)` of one letter, from time `t` back to an earlier `s`: the probabilities that it is the letter of `x_0`, and that it is masked.
/// A letter that is not masked stays (MDLM, section 3.2.2).
pub fn posterior(masked: bool, [alpha_t, alpha_s]: [f64; 2]) -> [f64; 2] {
    match masked {
        false => [1.0, 0.0],
        true => [(alpha_s - alpha_t) / (1.0 - alpha_t), (1.0 - alpha_s) / (1.0 - alpha_t)],
    }
}

/// A list of words of one length, each as likely as the others: the distribution of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    letters: Vec<char>,
    words: Vec<Vec<u8>>,
}

/// The lists: English words, and Chinese ones of four characters.
pub const LISTS: [(&str, &str); 2] = [
    (
        "english",
        "noise poise raise prose pause cause horse house mouse moose goose grove prove drove drive prize crane plane place peace phase \
         phone shone stone",
    ),
    (
        "chinese",
        "一心一意 三心二意 一五一十 三三两两 五颜六色 四面八方 七上八下 七嘴八舌 千方百计 千言万语 千山万水 万水千山 万紫千红 百发百中 十全十美 一清二楚 \
         一干二净 三言两语 四通八达 五湖四海 九牛一毛 九死一生 百战百胜 一石二鸟",
    ),
];

/// What is exactly known of a reverse process of some steps, in nats a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    pub steps: usize,
    /// The bound of the negative log-likelihood, in the mean over the words (MDLM, section 3.3).
    pub bound: f64,
    /// The negative log-likelihood itself.
    pub likelihood: f64,
    /// The probability that what is drawn is a word of the list.
    pub words: f64,
}

/// A run of the reverse process.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmasking {
    /// The rows at the times `1, 1 - 1/T, .., 0`, one after the other.
    pub frames: Vec<Vec<Vec<u8>>>,
    /// Of the first row, at the same times.
    pub guesses: Vec<Vec<Vec<f64>>>,
}

impl Words {
    /// Words of the same number of letters, at least one; `None` otherwise, or where they have more than 255 letters in all.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut letters = Vec::new();
        let mut index = |letter: char| {
            let known = letters.iter().position(|known| *known == letter);
            known.unwrap_or_else(|| {
                letters.push(letter);
                letters.len() - 1
            })
        };
        let word = |word: &str| word.chars().map(|letter| u8::try_from(index(letter)).ok()).collect::<Option<Vec<_>>>();
        let words: Vec<_> = words.into_iter().map(word).collect::<Option<_>>()?;
        let length = words.first().map(Vec::len).filter(|length| *length > 0)?;
        (letters.len() < MASK.into() && words.iter().all(|word| word.len() == length))
            .then_some(Self { letters, words })
    }

    /// The list of this id, or the first one.
    ///
    /// # Panics
    /// Never: a test makes every list.
    pub fn of(id: &str) -> Self {
        let (_, words) = LISTS.iter().find(|(known, _)| *known == id).unwrap_or(&LISTS[0]);
        Self::new(words.split_whitespace()).expect("every list is one of words")
    }

    /// The different letters, by the numbers that they have in words.
    pub fn letters(&self) -> &[char] {
        &self.letters
    }

    /// The words, as the numbers of their letters.
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// Letters of a word.
    pub fn length(&self) -> usize {
        self.words[0].len()
    }

    /// The entropy of the distribution in nats, which no model's mean negative log-likelihood is below.
    pub fn entropy(&self) -> f64 {
        (self.words.len() as f64).ln()
    }

    /// `p(x_0 = v | x_t)` of each letter, exactly: the shares of the words that have the letters of `x_t` that are not masked. Letters that were
    /// drawn together may be those of no word. The words with the fewest other letters stand in then, to which the exact answer tends for
    /// words that are misspelt once in a great while.
    pub fn denoise(&self, x: &[u8]) -> Vec<Vec<f64>> {
        let wrong = |word: &&Vec<u8>| word.iter().zip(x).filter(|(a, b)| **b != MASK && a != b).count();
        let fewest = self.words.iter().map(|word| wrong(&word)).min().unwrap_or_default();
        let near: Vec<_> = self.words.iter().filter(|word| wrong(word) == fewest).collect();
        let mut shares = vec![vec![0.0; self.letters.len()]; x.len()];
        for word in &near {
            for (shares, letter) in shares.iter_mut().zip(*word) {
                shares[usize::from(*letter)] += 1.0 / near.len() as f64;
            }
        }
        shares
    }

    /// `rows` words of the data, and for each of their letters the time from which it is masked.
    pub fn masked(&self, rows: usize, (masking, seed): (Masking, u32)) -> (Vec<Vec<u8>>, Vec<Vec<f64>>) {
        let mut generator = Stream::Data.of(seed);
        let words: Vec<_> = (0..rows).map(|_| self.words[picked(&mut generator, self.words.len())].clone()).collect();
        let times = words.iter().map(|word| {
            let draws = generator.rand_f64(word.len());
            // It is masked where 1 - alpha_t is above the draw.
            draws.into_iter().map(|u| masking.time(1.0 - u)).collect()
        });
        let times = times.collect();
        (words, times)
    }

    /// Draws `rows` words by the reverse process in `steps` steps, from masks alone: in a step from `t` to `s` each masked letter is
    /// shown with the posterior's probability, and drawn from the denoiser then, without a look at the others of the step.
    pub fn unmask(&self, rows: usize, steps: usize, (masking, seed): (Masking, u32)) -> Unmasking {
        let mut generator = Stream::Moves.of(seed);
        let mut x = vec![vec![MASK; self.length()]; rows];
        let first = |x: &[Vec<u8>]| x.first().map(|row| self.denoise(row)).unwrap_or_default();
        let mut run = Unmasking { frames: vec![x.clone()], guesses: vec![first(&x)] };
        for alphas in masking.alphas(steps) {
            for row in &mut x {
                let shares = self.denoise(row);
                for (letter, shares) in row.iter_mut().zip(&shares) {
                    // Two draws a letter, needed or not: a letter depends on its own alone.
                    let [shown, which] = [generator.rand_f64(1)[0], generator.rand_f64(1)[0]];
                    if *letter == MASK && shown < posterior(true, alphas)[0] {
                        *letter = drawn(shares, which);
                    }
                }
            }
            run.frames.push(x.clone());
            run.guesses.push(first(&x));
        }
        run
    }

    /// Whether these letters are a word of the list.
    pub fn has(&self, x: &[u8]) -> bool {
        self.words.iter().any(|word| word == x)
    }

    /// What is exactly known of the reverse process of `steps` steps.
    ///
    /// Which letters are masked is all that the letters of a given word can differ in, so that sums over `x_t` are sums over sets of
    /// places: `2^L` of them for the bound, and the `3^L` pairs of a set and a smaller one for a step of the likelihood.
    pub fn known(&self, steps: usize, masking: Masking) -> Known {
        let (mut bound, mut likelihood, mut words) = (0.0, 0.0, 0.0);
        for word in &self.words {
            let right = self.right(word);
            bound += Self::bound_of(&right, masking.alphas(steps));
            let log = Self::probability(&right, masking.alphas(steps)).ln();
            likelihood -= log;
            words += log.exp();
        }
        let n = self.words.len() as f64;
        Known { steps, bound: bound / n, likelihood: likelihood / n, words }
    }

    /// The probability that the denoiser gives to each letter of a word, for each set of places that are masked.
    fn right(&self, word: &[u8]) -> Vec<Vec<f64>> {
        let masked = |set: usize| -> Vec<u8> {
            word.iter().enumerate().map(|(i, letter)| if set >> i & 1 == 1 { MASK } else { *letter }).collect()
        };
        let of = |set| {
            let shares = self.denoise(&masked(set));
            shares.iter().zip(word).map(|(shares, letter)| shares[usize::from(*letter)]).collect()
        };
        (0..1 << word.len()).map(of).collect()
    }

    /// `sum_t E_q[(alpha_s - alpha_t) / (1 - alpha_t) sum_i -ln p(x_0^i | x_t)]` over the masked letters `i`: the divergences of all steps. There are
    /// no other terms, as all is masked at time 1 and nothing at time 0.
    fn bound_of(right: &[Vec<f64>], steps: impl Iterator<Item = [f64; 2]>) -> f64 {
        let step = |alphas: [f64; 2]| {
            let set = |(set, right): (usize, &Vec<f64>)| {
                let masked = |i: &usize| set >> i & 1 == 1;
                let chance: f64 =
                    (0..right.len()).map(|i| if masked(&i) { 1.0 - alphas[0] } else { alphas[0] }).product();
                if chance == 0.0 {
                    0.0
                } else {
                    -chance * (0..right.len()).filter(masked).map(|i| right[i].ln()).sum::<f64>()
                }
            };
            posterior(true, alphas)[0] * right.iter().enumerate().map(set).sum::<f64>()
        };
        steps.map(step).sum()
    }

    /// The probability that the reverse process ends with the word: over all ways in which its letters may have been shown.
    fn probability(right: &[Vec<f64>], steps: impl Iterator<Item = [f64; 2]>) -> f64 {
        // The probability that the places of a set are masked and all others are right, for each set.
        let all = right.len() - 1;
        let mut at = vec![0.0; right.len()];
        at[all] = 1.0;
        for alphas in steps {
            let [shown, kept] = posterior(true, alphas);
            let mut next = vec![0.0; right.len()];
            for (set, chance) in at.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
                // Every subset of the set, from itself to none.
                let mut rest = set;
                loop {
                    let factor = |i: usize| if rest >> i & 1 == 1 { kept } else { shown * right[set][i] };
                    let step: f64 = (0..right[set].len()).filter(|i| set >> i & 1 == 1).map(factor).product();
                    next[rest] += chance * step;
                    if rest == 0 {
                        break;
                    }
                    rest = (rest - 1) & set;
                }
            }
            at = next;
        }
        at[0]
    }
}

/// One of `n`, each as likely as the others.
fn picked(generator: &mut TorchGenerator, n: usize) -> usize {
    ((generator.rand_f64(1)[0] * n as f64) as usize).min(n - 1)
}

/// The letter that a draw from 0 to 1 picks.
fn drawn(shares: &[f64], u: f64) -> u8 {
    let mut total = 0.0;
    let mut last = 0;
    for (letter, share) in (0..MASK).zip(shares).filter(|(_, share)| **share > 0.0) {
        total += share;
        last = letter;
        if u < total {
            break;
        }
    }
    last
}
