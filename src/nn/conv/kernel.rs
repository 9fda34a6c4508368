//! Convolution on the processor as an implicit matrix product, without im2col.
//!
//! im2col copies every pixel as often as a kernel uses it, which takes as long as the products. Here a picture is copied once, with its
//! zero padding and, for a stride, split into its phases (polyphase decomposition): then the inputs of a weight, along all positions
//! of the output, are one contiguous row, which begins at an offset of its own. Positions beyond the right edge are computed along
//! and dropped.
//!
//! Each output is a sum in one order whatever the batch, so that a picture's bits do not depend on the others.

use pulp::{Simd, WithSimd};

/// What a convolution is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the pictures.
    pub size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows above and below, columns left and right.
    pub padding: [[usize; 2]; 2],
}

impl Shape {
    /// Height and width of what comes out.
    pub fn out(&self) -> [usize; 2] {
        [0, 1].map(|i| (self.padded(i) - self.kernel[i]) / self.stride[i] + 1)
    }

    fn padded(&self, axis: usize) -> usize {
        self.size[axis] + self.padding[axis].iter().sum::<usize>()
    }

    /// Height and width of the plane of one phase.
    fn plane(&self) -> [usize; 2] {
        [0, 1].map(|i| self.padded(i).div_ceil(self.stride[i]))
    }
}

/// Output channels and vectors of positions of a register tile.
const ROWS: usize = 6;
const VECTORS: usize = 2;
/// Weights of an output channel in a block, whose inputs stay in the L1 cache.
const DEPTH: usize = 1024;
/// The most lanes of a vector.
const WIDEST: usize = 16;

/// The convolution of `x` `[batch, inputs, height, width]` with `weight` `[outputs, inputs, height, width]`.
pub fn conv(x: &[f32], weight: &[f32], bias: &[f32], shape: &Shape) -> Vec<f32> {
    let ([height, width], [rows, columns]) = (shape.out(), shape.plane());
    let positions = (height - 1) * columns + width;
    let row = positions.next_multiple_of(WIDEST * VECTORS);
    let offsets = offsets(shape);
    let last = offsets.iter().max().copied().unwrap_or(0);
    let mut out = vec![0.0; shape.batch * shape.outputs * height * width];
    let planes = shape.inputs * shape.stride[0] * shape.stride[1] * rows * columns;
    let mut padded = vec![0.0; planes.max(last + row)];
    let depth = shape.inputs * shape.kernel[0] * shape.kernel[1];
    let images = x.chunks_exact(shape.inputs * shape.size[0] * shape.size[1]);
    for (x, out) in images.zip(out.chunks_exact_mut(shape.outputs * height * width)) {
        pad(x, &mut padded, shape);
        let block = |(i, out): (usize, &mut [f32])| {
            let of = |row: usize| i * ROWS + row;
            let count = out.len() / (height * width);
            // Rows beyond the last output are zero and dropped.
            let weight = |row: usize| (row < count).then(|| &weight[of(row) * depth..(of(row) + 1) * depth]);
            let mut packed = vec![0.0; depth * ROWS];
            for (row, weight) in (0..ROWS).filter_map(|row| Some((row, weight(row)?))) {
                packed.iter_mut().skip(row).step_by(ROWS).zip(weight).for_each(|(to, from)| *to = *from);
            }
            let mut sums = vec![0.0; ROWS * row];
            (0..count).for_each(|i| sums[i * row..(i + 1) * row].fill(bias[of(i)]));
            for (packed, offsets) in packed.chunks(DEPTH * ROWS).zip(offsets.chunks(DEPTH)) {
                vectorized(Products { packed, offsets, padded: &padded, sums: &mut sums, row });
            }
            for (sums, out) in sums.chunks_exact(row).zip(out.chunks_exact_mut(height * width)) {
                let lines = sums.chunks(columns).zip(out.chunks_exact_mut(width));
                lines.for_each(|(from, to)| to.copy_from_slice(&from[..width]));
            }
        };
        for_each(out.chunks_mut(ROWS * height * width).enumerate().collect(), block);
    }
    out
}

/// Where the inputs of each weight begin.
fn offsets(shape: &Shape) -> Vec<usize> {
    let ([down, across], [rows, columns]) = (shape.stride, shape.plane());
    let of = |channel: usize, y: usize, x: usize| {
        let phase = (channel * down + y % down) * across + x % across;
        phase * rows * columns + y / down * columns + x / across
    };
    let kernel = |channel| (0..shape.kernel[0]).flat_map(move |y| (0..shape.kernel[1]).map(move |x| (channel, y, x)));
    (0..shape.inputs).flat_map(kernel).map(|(channel, y, x)| of(channel, y, x)).collect()
}

/// Copies a picture into its zero padding, each phase to a plane. What is not written is zero, and stays so.
fn pad(x: &[f32], padded: &mut [f32], shape: &Shape) {
    let ([down, across], [rows, columns], [height, width]) = (shape.stride, shape.plane(), shape.size);
    let [[top, _], [left, _]] = shape.padding;
    for (channel, x) in x.chunks_exact(height * width).enumerate() {
        for (y, line) in x.chunks_exact(width).enumerate() {
            let y = y + top;
            for phase in 0..across {
                // The first pixel whose column is of this phase.
                let first = (phase + across - left % across) % across;
                let plane = (channel * down + y % down) * across + phase;
                let begin = (plane * rows + y / down) * columns + (left + first) / across;
                let pixels = line.iter().skip(first).step_by(across);
                padded[begin..].iter_mut().zip(pixels).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// Adds a block of products to the sums of some output channels, at all positions.
struct Products<'a> {
    /// For each input, a weight of each output channel.
    packed: &'a [f32],
    offsets: &'a [usize],
    padded: &'a [f32],
    /// A row for each output.
    sums: &'a mut [f32],
    row: usize,
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { packed, offsets, padded, sums, row } = self;
        let tile = VECTORS * S::F32_LANES;
        for begin in (0..row).step_by(tile) {
            let mut tiles = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
            for (tile, sums) in tiles.iter_mut().zip(sums.chunks_exact(row)) {
                let (vectors, _) = S::as_simd_f32s(&sums[begin..]);
                tile.iter_mut().zip(vectors).for_each(|(to, from)| *to = *from);
            }
            let padded = &padded[begin..];
            for (weights, &offset) in packed.as_chunks::<ROWS>().0.iter().zip(offsets) {
                let (inputs, _) = S::as_simd_f32s(&padded[offset..offset + tile]);
                let [first, second] = [inputs[0], inputs[1]];
                for (tile, &weight) in tiles.iter_mut().zip(weights) {
                    let weight = simd.splat_f32s(weight);
                    tile[0] = simd.mul_add_e_f32s(weight, first, tile[0]);
                    tile[1] = simd.mul_add_e_f32s(weight, second, tile[1]);
                }
            }
            for (tile, sums) in tiles.iter().zip(sums.chunks_exact_mut(row)) {
                let (vectors, _) = S::as_mut_simd_f32s(&mut sums[begin..]);
                vectors.iter_mut().zip(tile).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// With the vectors of this processor; in WebAssembly they are what the module was compiled with.
fn vectorized(products: Products) {
    #[cfg(target_family = "wasm")]
    if let Some(simd) = pulp::wasm::Simd128::try_new() {
        return Simd::vectorize(simd, products);
    }
    #[cfg(target_family = "wasm")]
    return products.with_simd(pulp::Scalar);
    #[cfg(not(target_family = "wasm"))]
    pulp::Arch::new().dispatch(products);
}

/// On all cores, where there are threads.
fn for_each<T: Send>(items: Vec<T>, each: impl Fn(T) + Sync + Send) {
    #[cfg(feature = "cli")]
    {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        items.into_par_iter().for_each(each);
    }
    #[cfg(not(feature = "cli"))]
    items.into_iter().for_each(each);
}
