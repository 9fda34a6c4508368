//! The register tile that every convolution stands on: some rows of weights times some vectors of inputs.

use crate::vectors::{MOST_LANES, vectorized};
use pulp::{Simd, WithSimd};

/// Outputs whose weights lie side by side.
pub const ROWS: usize = if cfg!(target_family = "wasm") { HALF } else { 2 * HALF };
/// Rows of a register tile where there are few registers. With its two vectors of inputs, one of a weight and, where there is no fused
/// multiply-add, one of a product, it fits into 15, as WebAssembly on x86 has them; one more than fit costs a store and a load in each step of each sum.
const HALF: usize = 4;
/// Registers from which on a tile has all rows.
const MANY: usize = 32;
/// Vectors of positions of a register tile.
const VECTORS: usize = 2;
/// The number of positions is rounded up to this, a vector of the widest or a tile of narrower ones.
pub const POSITIONS: usize = if MOST_LANES < 16 { VECTORS * MOST_LANES } else { MOST_LANES };
/// Weights of an output in a block, whose inputs stay in the L1 cache.
const DEPTH: usize = 1024;

/// The sums of the products of weights and inputs, of [`ROWS`] outputs at all positions.
#[derive(Debug)]
pub struct Products<'a> {
    /// For each input, a weight of each output.
    pub packed: &'a [[f32; ROWS]],
    /// Where the row of each input begins.
    pub offsets: &'a [usize],
    pub inputs: &'a [f32],
    /// A row for each output. What is in it does not count.
    pub sums: &'a mut [f32],
    /// What the sum of each output starts from.
    pub start: [f32; ROWS],
    /// Positions, a multiple of [`POSITIONS`].
    pub row: usize,
}

impl Products<'_> {
    pub fn sum(self) {
        let Self { packed, offsets, inputs, sums, start, row } = self;
        for (i, (packed, offsets)) in packed.chunks(DEPTH).zip(offsets.chunks(DEPTH)).enumerate() {
            vectorized(Block { products: Products { packed, offsets, inputs, sums, start, row }, first: i == 0 });
        }
    }
}

struct Block<'a> {
    products: Products<'a>,
    /// Whether the sums start here.
    first: bool,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut block = self;
        if S::REGISTER_COUNT >= MANY {
            block.rows::<S, ROWS>(simd, 0);
        } else {
            (0..ROWS).step_by(HALF).for_each(|row| block.rows::<S, HALF>(simd, row));
        }
    }
}

impl Block<'_> {
    /// `R` outputs from `first` on.
    #[inline(always)]
    fn rows<S: Simd, const R: usize>(&mut self, simd: S, first: usize) {
        let (row, tile) = (self.products.row, VECTORS * S::F32_LANES);
        let whole = row / tile * tile;
        (0..whole).step_by(tile).for_each(|begin| self.tile::<S, R, VECTORS>(simd, first, begin));
        (whole..row).step_by(S::F32_LANES).for_each(|begin| self.tile::<S, R, 1>(simd, first, begin));
    }

    /// The same at the positions of `N` vectors from `begin` on.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const N: usize>(&mut self, simd: S, first: usize, begin: usize) {
        let Products { packed, offsets, inputs, sums, start, row } = &mut self.products;
        let (width, row) = (N * S::F32_LANES, *row);
        let sums = &mut sums[first * row..];
        let mut tiles = [[simd.splat_f32s(0.0); N]; R];
        for i in 0..R {
            if self.first {
                tiles[i] = [simd.splat_f32s(start[first + i]); N];
                continue;
            }
            let (sums, _) = S::as_simd_f32s(&sums[i * row + begin..][..width]);
            (0..N).for_each(|n| tiles[i][n] = sums[n]);
        }
        let inputs = &inputs[begin..];
        for (weights, &offset) in packed.iter().zip(*offsets) {
            let (inputs, _) = S::as_simd_f32s(&inputs[offset..offset + width]);
            let mut vectors = [simd.splat_f32s(0.0); N];
            (0..N).for_each(|n| vectors[n] = inputs[n]);
            for i in 0..R {
                let weight = simd.splat_f32s(weights[first + i]);
                for n in 0..N {
                    tiles[i][n] = simd.mul_add_e_f32s(weight, vectors[n], tiles[i][n]);
                }
            }
        }
        for i in 0..R {
            let (sums, _) = S::as_mut_simd_f32s(&mut sums[i * row + begin..][..width]);
            (0..N).for_each(|n| sums[n] = tiles[i][n]);
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use pulp::x86::{V3, V4};

    fn numbers(count: usize, seed: usize) -> impl Iterator<Item = f32> {
        (0..count).map(move |i| ((i * 7919 + seed) % 1013) as f32 / 506.5 - 1.0)
    }

    /// The sums of two blocks of the depth, at an odd number of vectors.
    fn sums<S: Simd>(simd: S) -> Vec<f32> {
        let (depth, row) = (DEPTH / 64, 3 * POSITIONS);
        let packed: Vec<[f32; ROWS]> =
            (0..2 * depth).map(|i| std::array::from_fn(|row| numbers(i + 1, row).last().unwrap_or(0.0))).collect();
        let inputs: Vec<f32> = numbers(2 * depth * row, 5).collect();
        let offsets: Vec<usize> = (0..2 * depth).map(|i| i * row).collect();
        let start = std::array::from_fn(|i| i as f32);
        let mut sums = vec![f32::NAN; ROWS * row];
        for first in [true, false] {
            let part = if first { 0..depth } else { depth..2 * depth };
            let (packed, offsets) = (&packed[part.clone()], &offsets[part]);
            let products = Products { packed, offsets, inputs: &inputs, sums: &mut sums, start, row };
            simd.vectorize(Block { products, first });
        }
        for (i, sum) in sums.iter().enumerate() {
            let terms =
                packed.iter().zip(&offsets).map(|(weights, offset)| weights[i / row] * inputs[offset + i % row]);
            let exact = start[i / row] + terms.sum::<f32>();
            assert!((sum - exact).abs() < 1e-4, "{i}: {sum} is not {exact}");
        }
        sums
    }

    #[test]
    fn the_width_of_vectors_does_not_change_a_bit() {
        let (narrow, wide) = (V3::try_new().map(sums), V4::try_new().map(sums));
        if narrow.is_none() || wide.is_none() {
            eprintln!("this processor has not both vectors of 256 and of 512 bits: nothing compared");
        } else {
            assert_eq!(narrow, wide);
        }
    }
}
