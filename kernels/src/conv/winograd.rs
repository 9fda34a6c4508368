//! Convolution with a kernel of 3 × 3 by Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray 2015, arXiv 1509.09308, section 4.1).
//!
//! Four outputs take 16 multiplications instead of 36: a tile `d` of 4 × 4 inputs and a kernel `g` become `V = Bᵀ d B` and
//! `U = G g Gᵀ`, their products are summed over the input channels, and `Y = Aᵀ (Σ U ⊙ V) A` are 2 × 2 outputs. The sums are 16 matrix
//! products, one for each place in a tile.

use super::Convolution;
use super::planes::Planes;
use super::products::{POSITIONS, Products, ROWS};
use crate::parallel::for_each;
use crate::scratch::scratch;
use crate::vectors::{Loops, MOST_LANES, loops};

/// Places in a tile of inputs.
const PLACES: usize = 16;
/// Tiles that are transformed together, so that the processor's vectors are used. More would be more than a row has in small pictures.
const LANES: usize = if MOST_LANES < 8 { MOST_LANES } else { 8 };
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
        loops(Weights { weight, inputs: shape.inputs, to: kept });
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
    let work = shape.multiplications() * PLACES / 36;
    let image = |(x, out): (&[f32], &mut [f32])| {
        scratch([planes.count() + LANES, PLACES * shape.inputs * stride], |[padded, inputs]| {
            padded.fill(0.0);
            planes.fill(x, padded);
            loops(Inputs { padded, planes: &planes, tiles, stride, to: inputs });
            let inputs = &*inputs;
            let group = |(i, out): (usize, &mut [f32])| {
                let blocks = (out.len() / (height * width)).div_ceil(ROWS);
                let weight = &weight[i * GROUP * shape.inputs * 9..];
                let block_size = PLACES * shape.inputs;
                let mut own = if kept.is_some() { Vec::new() } else { vec![[0.0; ROWS]; block_size] };
                scratch([PLACES * blocks * ROWS * row + LANES], |[sums]| {
                    for block in 0..blocks {
                        let packed = match kept {
                            Some(kept) => &kept[(i * GROUP / ROWS + block) * block_size..][..block_size],
                            None => {
                                let weight = &weight[block * ROWS * shape.inputs * 9..];
                                loops(Weights { weight, inputs: shape.inputs, to: &mut own });
                                &own
                            }
                        };
                        for (place, packed) in packed.chunks_exact(shape.inputs).enumerate() {
                            let inputs = &inputs[place * shape.inputs * stride..][..shape.inputs * stride];
                            let sums = &mut sums[(block * PLACES + place) * ROWS * row..][..ROWS * row];
                            Products { packed, offsets: &offsets, inputs, sums, start: [0.0; ROWS], row }.sum();
                        }
                    }
                    for (output, out) in out.chunks_exact_mut(height * width).enumerate() {
                        let first = output / ROWS * PLACES * ROWS + output % ROWS;
                        let (sums, bias) = (&sums[first * row..], bias[i * GROUP + output]);
                        loops(Sums { sums, step: ROWS * row, bias, width, out });
                    }
                });
            };
            for_each(work, out.chunks_mut(GROUP * height * width).enumerate(), group);
        });
    };
    let images = x.chunks_exact(shape.inputs * shape.size[0] * shape.size[1]);
    for_each(shape.batch * work, images.zip(out.chunks_exact_mut(shape.outputs * height * width)), image);
}

/// The same place of neighbouring tiles, or of neighbouring outputs. Loops go through them: closures are functions of their own, which
/// are compiled for the least of processors.
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

#[inline(always)]
fn half<const N: usize>(mut a: Lanes<N>) -> Lanes<N> {
    (0..N).for_each(|i| a[i] *= 0.5);
    a
}

/// `V = Bᵀ d B` of each tile: for each place and input a row of tiles.
struct Inputs<'a> {
    padded: &'a [f32],
    planes: &'a Planes,
    tiles: [usize; 2],
    stride: usize,
    to: &'a mut [f32],
}

#[inline(always)]
fn bt([a, b, c, d]: [Lanes<LANES>; 4]) -> [Lanes<LANES>; 4] {
    [sub(a, c), add(b, c), sub(c, b), sub(b, d)]
}

impl Loops for Inputs<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { padded, planes, tiles: [down, across], stride, to } = self;
        for channel in 0..planes.channels {
            for tile in 0..down {
                let mut lines = [[0; 4]; 4];
                for y in 0..4 {
                    for x in 0..4 {
                        lines[y][x] = planes.at(channel, 2 * tile + y, x);
                    }
                }
                for first in (0..across).step_by(LANES) {
                    let padded = &padded[first..];
                    let rows = [
                        tile_row(padded, lines[0]),
                        tile_row(padded, lines[1]),
                        tile_row(padded, lines[2]),
                        tile_row(padded, lines[3]),
                    ];
                    let rows = [bt(rows[0]), bt(rows[1]), bt(rows[2]), bt(rows[3])];
                    for x in 0..4 {
                        let v = bt([rows[0][x], rows[1][x], rows[2][x], rows[3][x]]);
                        for y in 0..4 {
                            let begin = ((4 * y + x) * planes.channels + channel) * stride + tile * across + first;
                            to[begin..begin + LANES].copy_from_slice(&v[y]);
                        }
                    }
                }
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
struct Weights<'a> {
    weight: &'a [f32],
    inputs: usize,
    to: &'a mut [[f32; ROWS]],
}

#[inline(always)]
fn g(a: Lanes<ROWS>, b: Lanes<ROWS>, c: Lanes<ROWS>) -> [Lanes<ROWS>; 4] {
    let (outer, inner) = (half(add(a, c)), half(b));
    [a, add(outer, inner), sub(outer, inner), c]
}

impl Loops for Weights<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { weight, inputs, to } = self;
        let kernels = weight.as_chunks::<9>().0;
        let last = kernels.len() / inputs - 1;
        let outputs: [&[[f32; 9]]; ROWS] = std::array::from_fn(|i| &kernels[i.min(last) * inputs..][..inputs]);
        for input in 0..inputs {
            let mut kernel = [[0.0; ROWS]; 9];
            for output in 0..ROWS {
                for i in 0..9 {
                    kernel[i][output] = outputs[output][input][i];
                }
            }
            let [a, b, c, d, e, f, h, i, j] = kernel;
            let rows = [g(a, b, c), g(d, e, f), g(h, i, j)];
            for x in 0..4 {
                let u = g(rows[0][x], rows[1][x], rows[2][x]);
                for y in 0..4 {
                    to[(4 * y + x) * inputs + input] = u[y];
                }
            }
        }
    }
}

/// `Y = Aᵀ M A` of each tile of an output, with its bias; from one place of a tile to the next it is `step` numbers.
struct Sums<'a> {
    sums: &'a [f32],
    step: usize,
    bias: f32,
    width: usize,
    out: &'a mut [f32],
}

#[inline(always)]
fn at([a, b, c, d]: [Lanes<LANES>; 4]) -> [Lanes<LANES>; 2] {
    [add(add(a, b), c), sub(sub(b, c), d)]
}

impl Loops for Sums<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { sums, step, bias, width, out } = self;
        let across = width.div_ceil(2);
        for (tile, out) in out.chunks_mut(2 * width).enumerate() {
            for first in (0..across).step_by(LANES) {
                let sums = &sums[tile * across + first..];
                let rows = [
                    at(tile_row(sums, [0, step, 2 * step, 3 * step])),
                    at(tile_row(sums, [4 * step, 5 * step, 6 * step, 7 * step])),
                    at(tile_row(sums, [8 * step, 9 * step, 10 * step, 11 * step])),
                    at(tile_row(sums, [12 * step, 13 * step, 14 * step, 15 * step])),
                ];
                let even = at([rows[0][0], rows[1][0], rows[2][0], rows[3][0]]);
                let odd = at([rows[0][1], rows[1][1], rows[2][1], rows[3][1]]);
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
}
