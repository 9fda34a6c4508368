//! Convolution with a kernel of 3 × 3 by Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray 2015, arXiv 1509.09308, section 4.1).
//!
//! Four outputs take 16 multiplications instead of 36: a tile `d` of 4 × 4 inputs and a kernel `g` become `V = Bᵀ d B` and
//! `U = G g Gᵀ`, their products are summed over the input channels, and `Y = Aᵀ (Σ U ⊙ V) A` are 2 × 2 outputs. The sums are 16 matrix
//! products, one for each place in a tile.

use super::Convolution;
use super::planes::Planes;
use super::products::{POSITIONS, Products, ROWS};
use crate::parallel::for_each;

/// Places in a tile of inputs.
const PLACES: usize = 16;
/// Tiles that are transformed together, so that the processor's vectors are used.
const LANES: usize = 4;
/// Outputs that are computed together, in one thread.
const GROUP: usize = 4 * ROWS;

/// Whether the transforms are worth the multiplications that they save.
pub fn pays(shape: &Convolution) -> bool {
    shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.inputs >= 8 && shape.outputs >= 8
}

/// Tiles up to which the weights are transformed once and kept, which takes 16/9 of their memory: with more of them the
/// transform hardly shows beside the products.
const FEW: usize = 64;
/// Weights of a layer up to which that is done.
const SMALL: usize = 1 << 19;

/// `U` of all weights, [`ROWS`] outputs after the other.
pub fn transformed(weight: &[f32], shape: &Convolution) -> Option<Vec<[f32; ROWS]>> {
    let tiles: usize = shape.out().iter().map(|size| size.div_ceil(2)).product();
    if !pays(shape) || tiles > FEW || weight.len() > SMALL {
        return None;
    }
    let block = PLACES * shape.inputs;
    let mut kept = vec![[0.0; ROWS]; shape.outputs.div_ceil(ROWS) * block];
    for (weight, kept) in weight.chunks(ROWS * shape.inputs * 9).zip(kept.chunks_exact_mut(block)) {
        transform_weights(weight, shape.inputs, kept);
    }
    Some(kept)
}

/// `kept` is what [`transformed`] made of the weights, if it did.
pub fn conv(
    x: &[f32],
    weight: &[f32],
    kept: Option<&[[f32; ROWS]]>,
    bias: &[f32],
    shape: &Convolution,
    out: &mut [f32],
) {
    let size @ [height, width] = shape.out();
    let tiles = size.map(|size| size.div_ceil(2));
    let planes = Planes {
        channels: shape.inputs,
        size: shape.size,
        before: shape.padding.map(|[before, _]| before),
        stride: [2, 2],
        // The last tiles of an odd height or width reach beyond the padding.
        plane: tiles.map(|count| count + 1),
    };
    let row = (tiles[0] * tiles[1]).next_multiple_of(POSITIONS);
    // Whole lanes are written and read, beyond the last tile too.
    let stride = row + LANES;
    let offsets: Vec<usize> = (0..shape.inputs).map(|input| input * stride).collect();
    let mut padded = vec![0.0; planes.count() + LANES];
    let mut inputs = vec![0.0; PLACES * shape.inputs * stride];
    let images = x.chunks_exact(shape.inputs * shape.size[0] * shape.size[1]);
    for (x, out) in images.zip(out.chunks_exact_mut(shape.outputs * height * width)) {
        planes.fill(x, &mut padded);
        transform_inputs(&padded, &planes, tiles, stride, &mut inputs);
        let group = |(i, out): (usize, &mut [f32])| {
            let blocks = (out.len() / (height * width)).div_ceil(ROWS);
            let weight = &weight[i * GROUP * shape.inputs * 9..];
            let mut sums = vec![0.0; PLACES * blocks * ROWS * row + LANES];
            let block_size = PLACES * shape.inputs;
            let mut own = if kept.is_some() { Vec::new() } else { vec![[0.0; ROWS]; block_size] };
            for block in 0..blocks {
                let packed = match kept {
                    Some(kept) => &kept[(i * GROUP / ROWS + block) * block_size..][..block_size],
                    None => {
                        transform_weights(&weight[block * ROWS * shape.inputs * 9..], shape.inputs, &mut own);
                        &own
                    }
                };
                for (place, packed) in packed.chunks_exact(shape.inputs).enumerate() {
                    let inputs = &inputs[place * shape.inputs * stride..][..shape.inputs * stride];
                    let sums = &mut sums[(block * PLACES + place) * ROWS * row..][..ROWS * row];
                    Products { packed, offsets: &offsets, inputs, sums, row }.add();
                }
            }
            for (output, out) in out.chunks_exact_mut(height * width).enumerate() {
                let first = output / ROWS * PLACES * ROWS + output % ROWS;
                let sums = |place: usize| &sums[(first + place * ROWS) * row..];
                transform_sums(sums, bias[i * GROUP + output], width, out);
            }
        };
        for_each(out.chunks_mut(GROUP * height * width).enumerate(), group);
    }
}

/// The same place of neighbouring tiles, or of neighbouring outputs.
type Lanes<const N: usize> = [f32; N];

#[inline(always)]
fn add<const N: usize>(mut a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    (0..N).for_each(|i| a[i] += b[i]);
    a
}

#[inline(always)]
fn sub<const N: usize>(mut a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    (0..N).for_each(|i| a[i] -= b[i]);
    a
}

/// `V = Bᵀ d B` of each tile: for each place and input a row of tiles.
fn transform_inputs(padded: &[f32], planes: &Planes, [down, across]: [usize; 2], stride: usize, to: &mut [f32]) {
    #[inline(always)]
    fn bt([a, b, c, d]: [Lanes<LANES>; 4]) -> [Lanes<LANES>; 4] {
        [sub(a, c), add(b, c), sub(c, b), sub(b, d)]
    }
    for channel in 0..planes.channels {
        for tile in 0..down {
            let at = |y: usize, x: usize| planes.at(channel, 2 * tile + y, x);
            let lines: [[usize; 4]; 4] = std::array::from_fn(|y| std::array::from_fn(|x| at(y, x)));
            for first in (0..across).step_by(LANES) {
                let padded = &padded[first..];
                let rows = [
                    tile_row(padded, lines[0]),
                    tile_row(padded, lines[1]),
                    tile_row(padded, lines[2]),
                    tile_row(padded, lines[3]),
                ];
                let rows = [bt(rows[0]), bt(rows[1]), bt(rows[2]), bt(rows[3])];
                (0..4).for_each(|x| {
                    let v = bt([rows[0][x], rows[1][x], rows[2][x], rows[3][x]]);
                    for (y, v) in v.iter().enumerate() {
                        let begin = ((4 * y + x) * planes.channels + channel) * stride + tile * across + first;
                        to[begin..begin + LANES].copy_from_slice(v);
                    }
                });
            }
        }
    }
}

/// Four places of [`LANES`] tiles.
#[inline(always)]
fn tile_row(from: &[f32], [a, b, c, d]: [usize; 4]) -> [Lanes<LANES>; 4] {
    [lanes(&from[a..]), lanes(&from[b..]), lanes(&from[c..]), lanes(&from[d..])]
}

#[inline(always)]
fn lanes(from: &[f32]) -> Lanes<LANES> {
    *from.first_chunk().expect("whole lanes are kept beyond the last tile")
}

/// `U = G g Gᵀ` of the next outputs: for each place a row of inputs. What lies beyond the last output is that one again.
fn transform_weights(weight: &[f32], inputs: usize, to: &mut [[f32; ROWS]]) {
    #[inline(always)]
    fn g(a: Lanes<ROWS>, b: Lanes<ROWS>, c: Lanes<ROWS>) -> [Lanes<ROWS>; 4] {
        let (outer, inner) = (add(a, c).map(|sum| 0.5 * sum), b.map(|b| 0.5 * b));
        [a, add(outer, inner), sub(outer, inner), c]
    }
    let kernels = weight.as_chunks::<9>().0;
    let last = kernels.len() / inputs - 1;
    let outputs: [&[[f32; 9]]; ROWS] = std::array::from_fn(|i| &kernels[i.min(last) * inputs..][..inputs]);
    for input in 0..inputs {
        let kernel = |i: usize| outputs.map(|kernels| kernels[input][i]);
        let row = |y: usize| g(kernel(3 * y), kernel(3 * y + 1), kernel(3 * y + 2));
        let rows = [row(0), row(1), row(2)];
        (0..4).for_each(|x| {
            let u = g(rows[0][x], rows[1][x], rows[2][x]);
            for (y, u) in u.into_iter().enumerate() {
                to[(4 * y + x) * inputs + input] = u;
            }
        });
    }
}

/// `Y = Aᵀ M A` of each tile of an output, with its bias.
fn transform_sums<'a>(sums: impl Fn(usize) -> &'a [f32], bias: f32, width: usize, out: &mut [f32]) {
    #[inline(always)]
    fn at([a, b, c, d]: [Lanes<LANES>; 4]) -> [Lanes<LANES>; 2] {
        [add(add(a, b), c), sub(sub(b, c), d)]
    }
    let across = width.div_ceil(2);
    let places: [&[f32]; PLACES] = std::array::from_fn(sums);
    for (tile, out) in out.chunks_mut(2 * width).enumerate() {
        for first in (0..across).step_by(LANES) {
            let begin = tile * across + first;
            let m = |place: usize| lanes(&places[place][begin..]);
            let rows = [0, 4, 8, 12].map(|y| at([m(y), m(y + 1), m(y + 2), m(y + 3)]));
            let [even, odd] = [0, 1].map(|x| at([rows[0][x], rows[1][x], rows[2][x], rows[3][x]]));
            for (y, out) in out.chunks_exact_mut(width).enumerate() {
                let mut line = [bias; 2 * LANES];
                for i in 0..LANES {
                    line[2 * i] += even[y][i];
                    line[2 * i + 1] += odd[y][i];
                }
                match out[2 * first..].first_chunk_mut() {
                    Some(whole) => *whole = line,
                    None => out[2 * first..].iter_mut().zip(line).for_each(|(to, from)| *to = from),
                }
            }
        }
    }
}
