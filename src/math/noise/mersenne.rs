//! The Mersenne twister MT19937 (Matsumoto & Nishimura 1998, doi 10.1145/272991.272995).

/// Words of the state, and how far apart two of them are mixed.
const WORDS: usize = 624;
const MIDDLE: usize = 397;

/// A stream of 32-bit words.
#[derive(Clone, Debug)]
pub struct Mersenne {
    state: [u32; WORDS],
    next: usize,
}

impl Mersenne {
    /// The stream of a number (`init_genrand` of the reference code).
    pub fn new(seed: u32) -> Self {
        let mut state = [0; WORDS];
        state[0] = seed;
        for i in 1..WORDS {
            let before: u32 = state[i - 1];
            state[i] = (before ^ (before >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { state, next: WORDS }
    }

    /// The stream of several numbers, at least one (`init_by_array`).
    pub fn of_key(key: &[u32]) -> Self {
        let Self { mut state, next } = Self::new(19_650_218);
        let mixed = |state: &[u32; WORDS], i: usize, factor: u32| {
            let before = state[i - 1];
            state[i] ^ (before ^ (before >> 30)).wrapping_mul(factor)
        };
        let mut i = 1;
        let step = |state: &mut [u32; WORDS], i: &mut usize| {
            *i += 1;
            if *i == WORDS {
                state[0] = state[WORDS - 1];
                *i = 1;
            }
        };
        for j in (0..key.len()).cycle().take(WORDS.max(key.len())) {
            state[i] = mixed(&state, i, 1_664_525).wrapping_add(key[j]).wrapping_add(j as u32);
            step(&mut state, &mut i);
        }
        for _ in 1..WORDS {
            state[i] = mixed(&state, i, 1_566_083_941).wrapping_sub(i as u32);
            step(&mut state, &mut i);
        }
        state[0] = 0x8000_0000;
        Self { state, next }
    }

    pub fn word(&mut self) -> u32 {
        if self.next == WORDS {
            self.twist();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn twist(&mut self) {
        for i in 0..WORDS {
            let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % WORDS] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + MIDDLE) % WORDS] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }
}
