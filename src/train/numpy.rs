//! The random numbers of numpy's `default_rng`, so that the steps of a recipe of scenes draw what they draw in Python.

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// The stream of `numpy.random.default_rng(numbers)`: PCG64 (O'Neill 2014, XSL-RR 128/64) seeded by numpy's `SeedSequence`.
#[derive(Clone, Debug)]
pub struct Numpy {
    state: u128,
    increment: u128,
    /// The upper half of a number whose lower half was drawn.
    half: Option<u32>,
}

impl Numpy {
    pub fn new(numbers: &[u64]) -> Self {
        let [high, low, sequence_high, sequence_low] = seeds(numbers).map(u128::from);
        let increment = (sequence_high << 64 | sequence_low) << 1 | 1;
        let mut stream = Self { state: increment, increment, half: None };
        stream.state = stream.state.wrapping_add(high << 64 | low);
        stream.advance();
        stream
    }

    fn advance(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn word(&mut self) -> u64 {
        self.advance();
        (((self.state >> 64) ^ self.state) as u64).rotate_right((self.state >> 122) as u32)
    }

    fn half_word(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        let word = self.word();
        self.half = Some((word >> 32) as u32);
        word as u32
    }

    /// `random()`: uniform in `[0, 1)`.
    pub fn random(&mut self) -> f64 {
        (self.word() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// `integers(2**63)`.
    pub fn integer(&mut self) -> u64 {
        self.word() >> 1
    }

    /// A row of `permuted(rows, axis=1)`, put in random order (Fisher & Yates).
    pub fn permute<T>(&mut self, row: &mut [T]) {
        for i in (1..row.len()).rev() {
            row.swap(i, self.up_to(i as u32) as usize);
        }
    }

    /// Uniform from 0 to `last`: as many bits as it takes, until they are not too large.
    fn up_to(&mut self, last: u32) -> u32 {
        let mask = u32::MAX >> last.leading_zeros();
        loop {
            let drawn = self.half_word() & mask;
            if drawn <= last {
                return drawn;
            }
        }
    }
}

/// `SeedSequence(numbers).generate_state(4, uint64)`.
fn seeds(numbers: &[u64]) -> [u64; 4] {
    let words = |&number: &u64| {
        let [low, high] = [number as u32, (number >> 32) as u32];
        [Some(low), (high > 0).then_some(high)].into_iter().flatten()
    };
    let entropy: Vec<u32> = numbers.iter().flat_map(words).collect();
    let folded = |value: u32| value ^ (value >> 16);
    let mut constant = 0x43b0_d7e5_u32;
    let mut hashed = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        folded(value.wrapping_mul(constant))
    };
    let mixed = |x: u32, y: u32| folded(x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715)));
    let mut pool: [u32; 4] = std::array::from_fn(|i| hashed(entropy.get(i).copied().unwrap_or(0)));
    for from in 0..4 {
        for to in (0..4).filter(|to| *to != from) {
            pool[to] = mixed(pool[to], hashed(pool[from]));
        }
    }
    for &further in entropy.iter().skip(4) {
        for place in &mut pool {
            *place = mixed(*place, hashed(further));
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let state: [u32; 8] = std::array::from_fn(|i| {
        let value = pool[i % 4] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        folded(value.wrapping_mul(constant))
    });
    std::array::from_fn(|i| u64::from(state[2 * i]) | u64::from(state[2 * i + 1]) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What numpy 2.4 draws from `default_rng((0, 2, 7))`.
    #[test]
    fn draws_are_those_of_numpy() {
        let mut rng = Numpy::new(&[0, 2, 7]);
        assert_eq!([(); 3].map(|()| rng.random()), [0.7314810047386062, 0.8009104564081075, 0.5824511988202193]);
        let rows = [(); 6].map(|()| {
            let mut row = [0, 1, 2];
            rng.permute(&mut row);
            row
        });
        assert_eq!(rows, [[1, 0, 2], [0, 1, 2], [2, 0, 1], [2, 0, 1], [1, 0, 2], [0, 2, 1]]);
        assert_eq!([rng.random(), rng.random()], [0.46294966691005757, 0.18615090480417362]);
        assert_eq!(rng.integer(), 8_416_548_951_155_792_794);
        assert_eq!(rng.random(), 0.5490839983675777);
        let mut large = Numpy::new(&[(1 << 40) + 5, 2, 7]);
        assert_eq!([large.random(), large.random()], [0.2333149477807136, 0.24966693108366644]);
    }
}
