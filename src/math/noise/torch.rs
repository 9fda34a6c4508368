//! The random numbers of `torch.Generator` on the CPU, so that a seed makes the same picture here and in Python.

use super::mersenne::Mersenne;
use std::f64::consts::TAU;

/// Normal draws of at least this many numbers are made in blocks of as many.
const BLOCK: usize = 16;

/// The stream of `torch.Generator("cpu").manual_seed(seed)`: the Mersenne twister MT19937 and the Box-Muller transforms of torch's `rand` and `randn`.
///
/// Uniform and double-precision numbers are torch's exactly, up to the last digit of a logarithm or cosine. Normal
/// numbers in single precision are within 5e-7: torch computes blocks in single precision, with polynomials that differ
/// between processors; here they are computed in double precision and rounded once, the same on every machine and in
/// every browser.
#[derive(Clone, Debug)]
pub struct TorchGenerator {
    twister: Mersenne,
    /// The second number of a pair that was drawn singly.
    spare: Option<f64>,
}

impl TorchGenerator {
    /// The generator after `manual_seed(seed)`. Only the low 32 bits of a seed count, as in torch.
    pub fn new(seed: u64) -> Self {
        // Cut to 32 bits on purpose.
        Self { twister: Mersenne::new(seed as u32), spare: None }
    }

    /// One generator for each image of a batch: image `i` has seed `seed + i`, so that its picture does not depend on
    /// how many are made with it (diffusers' convention of a list of generators).
    pub fn per_image(seed: u64, images: usize) -> Vec<Self> {
        (0..images as u64).map(|i| Self::new(seed.wrapping_add(i))).collect()
    }

    /// `torch.rand(n, dtype=torch.float32)`: uniform numbers in `[0, 1)`.
    pub fn rand(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| f32::uniform(self)).collect()
    }

    /// `torch.rand(n, dtype=torch.float64)`.
    pub fn rand_f64(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| f64::uniform(self)).collect()
    }

    /// `torch.randn(n, dtype=torch.float32)`: standard normal numbers. Only the count of a shape matters; the numbers
    /// are in row-major order.
    pub fn randn(&mut self, n: usize) -> Vec<f32> {
        self.normals(n)
    }

    /// `torch.randn(n, dtype=torch.float64)`.
    pub fn randn_f64(&mut self, n: usize) -> Vec<f64> {
        self.normals(n)
    }

    fn normals<T: Real>(&mut self, n: usize) -> Vec<T> {
        if n < BLOCK {
            return (0..n).map(|_| T::round(self.single())).collect();
        }
        let mut out: Vec<T> = (0..n).map(|_| T::uniform(self)).collect();
        out.chunks_exact_mut(BLOCK).for_each(transform);
        if !n.is_multiple_of(BLOCK) {
            // torch starts the last, uneven block afresh, over numbers that are already done.
            let tail = &mut out[n - BLOCK..];
            tail.fill_with(|| T::uniform(self));
            transform(tail);
        }
        out
    }

    /// A normal number as torch draws it for fewer than 16: in pairs, of which one waits for the next call.
    fn single(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (angle, radius) = (f64::uniform(self), f64::uniform(self));
        let radius = (-2.0 * libm::log1p(-radius)).sqrt();
        let (sin, cos) = libm::sincos(TAU * angle);
        self.spare = Some(radius * sin);
        radius * cos
    }

    fn word(&mut self) -> u32 {
        self.twister.word()
    }
}

/// What single and double precision do differently.
trait Real: Copy {
    /// Uniform in `[0, 1)`.
    fn uniform(generator: &mut TorchGenerator) -> Self;
    /// The nearest number of this precision.
    fn round(value: f64) -> Self;
    /// The radius and the angle of the Box-Muller transform of a uniform pair.
    fn polar(u1: Self, u2: Self) -> (f64, f64);
}

impl Real for f32 {
    fn uniform(generator: &mut TorchGenerator) -> Self {
        (generator.word() & 0xff_ffff) as f32 / 16_777_216.0
    }

    fn round(value: f64) -> Self {
        value as f32
    }

    fn polar(u1: f32, u2: f32) -> (f64, f64) {
        // The angle is rounded to single precision before the cosine is taken: it is the one rounding of torch's that
        // shows in the sixth digit.
        let angle = std::f32::consts::TAU * u2;
        (radius(f64::from(1.0 - u1)), f64::from(angle))
    }
}

impl Real for f64 {
    fn uniform(generator: &mut TorchGenerator) -> Self {
        let (high, low) = (u64::from(generator.word()), u64::from(generator.word()));
        let bits = ((high << 32) | low) & ((1 << 53) - 1);
        bits as f64 / 9_007_199_254_740_992.0
    }

    fn round(value: f64) -> Self {
        value
    }

    fn polar(u1: f64, u2: f64) -> (f64, f64) {
        (radius(1.0 - u1), TAU * u2)
    }
}

fn radius(u: f64) -> f64 {
    (-2.0 * libm::log(u)).sqrt()
}

/// Box-Muller on a block: the pairs are the first half and the second half.
fn transform<T: Real>(block: &mut [T]) {
    let (first, second) = block.split_at_mut(BLOCK / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let (radius, angle) = T::polar(*a, *b);
        let (sin, cos) = libm::sincos(angle);
        (*a, *b) = (T::round(radius * cos), T::round(radius * sin));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_i_has_seed_plus_i_and_no_neighbours() {
        let mut batch = TorchGenerator::per_image(41, 3);
        for (i, generator) in batch.iter_mut().enumerate() {
            assert_eq!(generator.randn(784), TorchGenerator::new(41 + i as u64).randn(784));
        }
        assert_ne!(TorchGenerator::new(41).randn(784), TorchGenerator::new(42).randn(784));
    }

    #[test]
    fn a_seed_counts_by_its_low_32_bits() {
        let words = |seed| TorchGenerator::new(seed).rand(8);
        assert_eq!(words((1 << 32) + 1), words(1));
        assert_ne!(words(1 << 31), words(0));
        assert_eq!(TorchGenerator::per_image(u64::MAX, 2)[1].clone().rand(8), words(0));
    }

    #[test]
    fn no_numbers_are_no_draw() {
        let mut generator = TorchGenerator::new(7);
        assert!(generator.randn(0).is_empty());
        assert_eq!(generator.rand(1), TorchGenerator::new(7).rand(1));
    }
}
