//! The register tile that every convolution stands on: some rows of weights times some vectors of inputs.

use pulp::{Simd, WithSimd};

/// Rows of a register tile. With its two vectors of inputs, one of a weight and, where there is no fused multiply-add, one of a
/// product, it fills the registers: WebAssembly on x86 has 15, AVX 16. One more costs a store and a load in each step of each sum.
pub const ROWS: usize = if cfg!(target_family = "wasm") { 4 } else { 6 };
/// Vectors of positions of a register tile.
const VECTORS: usize = 2;
/// The number of positions is rounded up to this, the widest tile.
pub const POSITIONS: usize = VECTORS * if cfg!(target_family = "wasm") { 4 } else { 8 };
/// Weights of an output in a block, whose inputs stay in the L1 cache.
const DEPTH: usize = 1024;

/// Adds the products of weights and inputs to the sums of [`ROWS`] outputs, at all positions.
#[derive(Debug)]
pub struct Products<'a> {
    /// For each input, a weight of each output.
    pub packed: &'a [[f32; ROWS]],
    /// Where the row of each input begins.
    pub offsets: &'a [usize],
    pub inputs: &'a [f32],
    /// A row for each output.
    pub sums: &'a mut [f32],
    /// Positions, a multiple of [`POSITIONS`].
    pub row: usize,
}

impl Products<'_> {
    pub fn add(self) {
        let Self { packed, offsets, inputs, sums, row } = self;
        for (packed, offsets) in packed.chunks(DEPTH).zip(offsets.chunks(DEPTH)) {
            vectorized(Block(Products { packed, offsets, inputs, sums, row }));
        }
    }
}

struct Block<'a>(Products<'a>);

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Products { packed, offsets, inputs, sums, row } = self.0;
        let tile = VECTORS * S::F32_LANES;
        for begin in (0..row).step_by(tile) {
            let mut tiles = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
            for i in 0..ROWS {
                let (sums, _) = S::as_simd_f32s(&sums[i * row + begin..][..tile]);
                tiles[i] = [sums[0], sums[1]];
            }
            let inputs = &inputs[begin..];
            for (weights, &offset) in packed.iter().zip(offsets) {
                let (inputs, _) = S::as_simd_f32s(&inputs[offset..offset + tile]);
                let [first, second] = [inputs[0], inputs[1]];
                for i in 0..ROWS {
                    let weight = simd.splat_f32s(weights[i]);
                    tiles[i][0] = simd.mul_add_e_f32s(weight, first, tiles[i][0]);
                    tiles[i][1] = simd.mul_add_e_f32s(weight, second, tiles[i][1]);
                }
            }
            for i in 0..ROWS {
                let (sums, _) = S::as_mut_simd_f32s(&mut sums[i * row + begin..][..tile]);
                [sums[0], sums[1]] = tiles[i];
            }
        }
    }
}

/// With the vectors of this processor; in WebAssembly they are what the module was compiled with.
fn vectorized(block: Block) {
    #[cfg(target_family = "wasm")]
    if let Some(simd) = pulp::wasm::Simd128::try_new() {
        return Simd::vectorize(simd, block);
    }
    #[cfg(target_family = "wasm")]
    return block.with_simd(pulp::Scalar);
    #[cfg(not(target_family = "wasm"))]
    pulp::Arch::new().dispatch(block);
}
