//! Convolution with a kernel of 3 × 3 by Winograd's minimal filtering F(2×2, 3×3) and F(4×4, 3×3) (Lavin and Gray 2015, arXiv 1509.09308,
//! section 4).
//!
//! A tile `d` of `T × T` inputs and a kernel `g` become `V = Bᵀ d B` and `U = G g Gᵀ`, their products are summed over the input
//! channels, and `Y = Aᵀ (Σ U ⊙ V) A` are `M × M` outputs, `T = M + 2`. The sums are `T²` matrix products, one for each place in a tile.

mod filter;
mod transforms;

use self::filter::{Filter, Four, Two};
use self::transforms::{Inputs, Sums, Weights};
use super::Convolution;
use super::planes::Planes;
use super::products::{POSITIONS, Products, ROWS};
use crate::parallel::for_each;
use crate::scratch::scratch;
use crate::vectors::{MOST_LANES, loops};

/// Tiles that are transformed together, so that the processor's vectors are used. More would be more than a row has in small pictures.
const LANES: usize = if MOST_LANES < 8 { MOST_LANES } else { 8 };
/// Outputs that are computed together, in one thread.
const GROUP: usize = 4 * ROWS;

/// Weights in the transform of one of the filters, for each place and input those of [`ROWS`] outputs.
#[derive(Debug)]
pub struct Transformed {
    /// Outputs of a tile's side.
    side: usize,
    weights: Vec<[f32; ROWS]>,
}

/// Whether the transforms are worth the multiplications that they save.
pub fn pays(shape: &Convolution) -> bool {
    shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.inputs >= 8 && shape.outputs >= 8
}

/// Tiles from which on 4 × 4 outputs may be computed at once. With fewer, reading its weights and its longer transforms take more time
/// than it saves in products, which long vectors compute sooner (measured with vectors of 128 and of 512 bits).
const MANY: usize = if MOST_LANES < 8 { 12 } else { 32 };

/// Whether a tile has 4 × 4 outputs, or 2 × 2: what takes fewer multiplications, those beyond the last tile included.
fn is_large(shape: &Convolution) -> bool {
    let cost = |side: usize| (side + 2).pow(2) * row(shape, side);
    tiles(shape, 4).iter().product::<usize>() >= MANY && cost(4) < cost(2)
}

/// Tiles down and across.
fn tiles(shape: &Convolution, side: usize) -> [usize; 2] {
    shape.out().map(|size| size.div_ceil(side))
}

/// Tiles of a picture, and those that are computed along.
fn row(shape: &Convolution, side: usize) -> usize {
    tiles(shape, side).iter().product::<usize>().next_multiple_of(POSITIONS)
}

/// Tiles up to which the weights are transformed once and kept, which takes 16/9 or 4 times their memory: with more of them the
/// transform hardly shows beside the products.
const FEW: usize = 64;
/// Numbers of a layer up to which that is done.
const SMALL: usize = 1 << 20;

/// Those of all weights, where it pays to keep them for pictures of this size.
pub fn transformed(weight: &[f32], shape: &Convolution) -> Option<Transformed> {
    match (pays(shape), is_large(shape)) {
        (true, true) => transform::<Four, 4, 6>(weight, shape),
        (true, false) => transform::<Two, 2, 4>(weight, shape),
        (false, _) => None,
    }
}

fn transform<F: Filter<M, T>, const M: usize, const T: usize>(
    weight: &[f32],
    shape: &Convolution,
) -> Option<Transformed> {
    let block = T * T * shape.inputs;
    let blocks = shape.outputs.div_ceil(ROWS);
    if tiles(shape, M).iter().product::<usize>() > FEW || blocks * ROWS * block > SMALL {
        return None;
    }
    let mut weights = vec![[0.0; ROWS]; blocks * block];
    for (weight, to) in weight.chunks(ROWS * shape.inputs * 9).zip(weights.chunks_exact_mut(block)) {
        loops(Weights::<F, M, T>::new(weight, shape.inputs, to));
    }
    Some(Transformed { side: M, weights })
}

/// `kept` is what [`transformed`] made of the weights, if it did.
pub fn conv(x: &[f32], weight: &[f32], kept: Option<&Transformed>, bias: &[f32], shape: &Convolution, out: &mut [f32]) {
    match is_large(shape) {
        true => tiled::<Four, 4, 6>(x, weight, kept, bias, shape, out),
        false => tiled::<Two, 2, 4>(x, weight, kept, bias, shape, out),
    }
}

fn tiled<F: Filter<M, T>, const M: usize, const T: usize>(
    x: &[f32],
    weight: &[f32],
    kept: Option<&Transformed>,
    bias: &[f32],
    shape: &Convolution,
    out: &mut [f32],
) {
    let kept = kept.filter(|kept| kept.side == M).map(|kept| &kept.weights[..]);
    let places = T * T;
    let [height, width] = shape.out();
    let tiles = tiles(shape, M);
    let planes = Planes {
        channels: shape.inputs,
        size: shape.size,
        before: shape.padding.map(|[before, _]| before),
        stride: [1, 1],
        // The last tiles may reach beyond the padding.
        plane: tiles.map(|count| M * count + 2),
    };
    let row = row(shape, M);
    // Whole lanes are written and read, beyond the last tile too.
    let stride = row + LANES;
    let offsets: Vec<usize> = (0..shape.inputs).map(|input| input * stride).collect();
    let work = places * shape.inputs * shape.outputs * row;
    let image = |(x, out): (&[f32], &mut [f32])| {
        scratch([planes.count() + M * LANES, places * shape.inputs * stride], |[padded, inputs]| {
            padded.fill(0.0);
            planes.fill(x, padded);
            loops(Inputs::<F, M, T>::new(padded, &planes, tiles, stride, inputs));
            let inputs = &*inputs;
            let group = |(i, out): (usize, &mut [f32])| {
                let blocks = (out.len() / (height * width)).div_ceil(ROWS);
                let weight = &weight[i * GROUP * shape.inputs * 9..];
                let block_size = places * shape.inputs;
                let mut own = if kept.is_some() { Vec::new() } else { vec![[0.0; ROWS]; block_size] };
                scratch([places * blocks * ROWS * row + LANES], |[sums]| {
                    for block in 0..blocks {
                        let packed = match kept {
                            Some(kept) => &kept[(i * GROUP / ROWS + block) * block_size..][..block_size],
                            None => {
                                let weight = &weight[block * ROWS * shape.inputs * 9..];
                                loops(Weights::<F, M, T>::new(weight, shape.inputs, &mut own));
                                &own
                            }
                        };
                        for (place, packed) in packed.chunks_exact(shape.inputs).enumerate() {
                            let inputs = &inputs[place * shape.inputs * stride..][..shape.inputs * stride];
                            let sums = &mut sums[(block * places + place) * ROWS * row..][..ROWS * row];
                            Products { packed, offsets: &offsets, inputs, sums, start: [0.0; ROWS], row }.sum();
                        }
                    }
                    for (output, out) in out.chunks_exact_mut(height * width).enumerate() {
                        let first = output / ROWS * places * ROWS + output % ROWS;
                        let (sums, bias) = (&sums[first * row..], bias[i * GROUP + output]);
                        loops(Sums::<F, M, T>::new(sums, ROWS * row, bias, width, out));
                    }
                });
            };
            for_each(work, out.chunks_mut(GROUP * height * width).enumerate(), group);
        });
    };
    let images = x.chunks_exact(shape.inputs * shape.size[0] * shape.size[1]);
    for_each(shape.batch * work, images.zip(out.chunks_exact_mut(shape.outputs * height * width)), image);
}
