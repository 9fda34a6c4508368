//! The random numbers of Python's `random.Random`, so that a recipe's scenes are the same here and there.

use crate::math::noise::Mersenne;
use sha2::{Digest, Sha512};

/// Up to how many things [`sample`](PythonRandom::sample) moves about in a list, for samples of at most five.
const POOL: usize = 21;

/// The stream of `random.Random(text)` of CPython 3.2 and later.
#[derive(Clone, Debug)]
pub struct PythonRandom(Mersenne);

impl PythonRandom {
    /// The generator after `seed(text)`, of version 2: the key is the text and its SHA-512, as one number.
    pub fn new(text: &str) -> Self {
        let digits = [text.as_bytes(), &Sha512::digest(text)].concat();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        let word = |digits: &[u8]| digits.iter().fold(0, |word, digit| word << 8 | u32::from(*digit));
        Self(Mersenne::of_key(&digits.rchunks(4).map(word).collect::<Vec<_>>()))
    }

    /// `random()`: uniform in `[0, 1)`, with 53 bits.
    pub fn random(&mut self) -> f64 {
        let (high, low) = (self.0.word() >> 5, self.0.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// `uniform(a, b)`.
    pub fn uniform(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * self.random()
    }

    /// A number below `n`, which is at least 1: `randrange(n)`.
    pub fn below(&mut self, n: usize) -> usize {
        let bits = usize::BITS - n.leading_zeros();
        loop {
            let drawn = (self.0.word() >> (32 - bits)) as usize;
            if drawn < n {
                return drawn;
            }
        }
    }

    /// `choice(of)`, of at least one.
    pub fn choice<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// `choices(of, k=count)`, of at least one.
    pub fn choices<'a, T>(&mut self, of: &'a [T], count: usize) -> Vec<&'a T> {
        (0..count).map(|_| &of[(self.random() * of.len() as f64) as usize]).collect()
    }

    /// The place that `choices(cum_weights=cumulated)` picks, of at least one.
    pub fn weighted(&mut self, cumulated: &[f64]) -> usize {
        let last = cumulated.len() - 1;
        let at = self.random() * cumulated[last];
        cumulated[..last].partition_point(|sum| *sum <= at)
    }

    /// `sample(of, count)`, with `count` up to 5 and no more than there are.
    pub fn sample<'a, T>(&mut self, of: &'a [T], count: usize) -> Vec<&'a T> {
        let mut places: Vec<usize> = Vec::with_capacity(count);
        if of.len() <= POOL {
            let mut pool: Vec<usize> = (0..of.len()).collect();
            for _ in 0..count {
                let drawn = self.below(pool.len());
                places.push(pool.swap_remove(drawn));
            }
        } else {
            while places.len() < count {
                let drawn = self.below(of.len());
                if !places.contains(&drawn) {
                    places.push(drawn);
                }
            }
        }
        places.into_iter().map(|place| &of[place]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CPython 3.11 draws from `random.Random("0-2-7")`.
    #[test]
    fn draws_are_those_of_python() {
        let mut rng = PythonRandom::new("0-2-7");
        assert_eq!([rng.random(), rng.random()], [0.7473564173126996, 0.391846742649161]);
        assert_eq!(rng.uniform(-0.25, 0.75), 0.559167786960697);
        let below: Vec<_> = (0..8).map(|_| rng.below(3478)).collect();
        assert_eq!(below, [1135, 1652, 702, 3076, 2805, 327, 2379, 1312]);
        assert_eq!((0..8).map(|_| *rng.choice(&[1, 2, 3, 4])).collect::<Vec<_>>(), [3, 1, 2, 1, 2, 3, 2, 2]);
        let cumulated = [0.48, 0.65, 0.68, 0.74, 0.93, 1.0];
        assert_eq!((0..8).map(|_| rng.weighted(&cumulated)).collect::<Vec<_>>(), [0, 0, 1, 0, 5, 0, 1, 0]);
        assert_eq!(rng.sample(&[0, 1, 2, 3, 4], 3), [&0, &1, &4]);
        assert_eq!(rng.sample(&(0..40).collect::<Vec<_>>(), 3), [&10, &25, &9]);
        assert_eq!(rng.choices(&(0..40).collect::<Vec<_>>(), 5), [&18, &3, &27, &10, &31]);
    }
}
