//! The transforms of pictures, weights and sums, as loops over whole layers.

use super::LANES;
use super::filter::{Filter, Lanes};
use crate::conv::planes::Planes;
use crate::conv::products::ROWS;
use crate::vectors::Loops;
use std::marker::PhantomData;

/// `V = Bᵀ d B` of each tile: for each place and input a row of tiles.
pub struct Inputs<'a, F, const M: usize, const T: usize> {
    padded: &'a [f32],
    planes: &'a Planes,
    tiles: [usize; 2],
    stride: usize,
    to: &'a mut [f32],
    filter: PhantomData<F>,
}

impl<'a, F, const M: usize, const T: usize> Inputs<'a, F, M, T> {
    /// Of a picture with its padding; from one row of `to` to the next it is `stride` numbers.
    pub fn new(padded: &'a [f32], planes: &'a Planes, tiles: [usize; 2], stride: usize, to: &'a mut [f32]) -> Self {
        Self { padded, planes, tiles, stride, to, filter: PhantomData }
    }
}

impl<F: Filter<M, T>, const M: usize, const T: usize> Loops for Inputs<'_, F, M, T> {
    #[inline(always)]
    fn run(self) {
        let Self { padded, planes, tiles: [down, across], stride, to, .. } = self;
        for channel in 0..planes.channels {
            for tile in 0..down {
                for first in (0..across).step_by(LANES) {
                    let mut rows = [[[0.0; LANES]; T]; T];
                    for y in 0..T {
                        rows[y] = F::inputs(strided::<M, T>(&padded[planes.at(channel, M * tile + y, M * first)..]));
                    }
                    for x in 0..T {
                        let v = F::inputs(column(&rows, x));
                        for y in 0..T {
                            let begin = ((T * y + x) * planes.channels + channel) * stride + tile * across + first;
                            to[begin..begin + LANES].copy_from_slice(&v[y]);
                        }
                    }
                }
            }
        }
    }
}

/// The places of [`LANES`] tiles side by side, each of which begins `M` pixels after the one before.
#[inline(always)]
fn strided<const M: usize, const T: usize>(from: &[f32]) -> [Lanes<LANES>; T] {
    let from = &from[..M * (LANES - 1) + T];
    let mut row = [[0.0; LANES]; T];
    for x in 0..T {
        for i in 0..LANES {
            row[x][i] = from[M * i + x];
        }
    }
    row
}

/// The places of [`LANES`] tiles that begin there.
#[inline(always)]
fn tile_row<const T: usize>(from: &[f32], begins: [usize; T]) -> [Lanes<LANES>; T] {
    let mut row = [[0.0; LANES]; T];
    for x in 0..T {
        row[x] = *from[begins[x]..].first_chunk().expect("whole lanes are kept beyond the last tile");
    }
    row
}

#[inline(always)]
fn column<L: Copy, const R: usize, const T: usize>(rows: &[[L; T]; R], x: usize) -> [L; R] {
    let mut column = [rows[0][x]; R];
    for y in 0..R {
        column[y] = rows[y][x];
    }
    column
}

/// `U = G g Gᵀ` of the next outputs: for each place a row of inputs. What lies beyond the last output is that one again.
pub struct Weights<'a, F, const M: usize, const T: usize> {
    weight: &'a [f32],
    inputs: usize,
    to: &'a mut [[f32; ROWS]],
    filter: PhantomData<F>,
}

impl<'a, F, const M: usize, const T: usize> Weights<'a, F, M, T> {
    pub fn new(weight: &'a [f32], inputs: usize, to: &'a mut [[f32; ROWS]]) -> Self {
        Self { weight, inputs, to, filter: PhantomData }
    }
}

impl<F: Filter<M, T>, const M: usize, const T: usize> Loops for Weights<'_, F, M, T> {
    #[inline(always)]
    fn run(self) {
        let Self { weight, inputs, to, .. } = self;
        let kernels = weight.as_chunks::<9>().0;
        let last = kernels.len() / inputs - 1;
        let outputs: [&[[f32; 9]]; ROWS] = std::array::from_fn(|i| &kernels[i.min(last) * inputs..][..inputs]);
        for input in 0..inputs {
            let mut kernel = [[[0.0; ROWS]; 3]; 3];
            for output in 0..ROWS {
                for i in 0..9 {
                    kernel[i / 3][i % 3][output] = outputs[output][input][i];
                }
            }
            let rows = [F::kernel(kernel[0]), F::kernel(kernel[1]), F::kernel(kernel[2])];
            for x in 0..T {
                let u = F::kernel(column(&rows, x));
                for y in 0..T {
                    to[(T * y + x) * inputs + input] = u[y];
                }
            }
        }
    }
}

/// `Y = Aᵀ M A` of each tile of an output, with its bias.
pub struct Sums<'a, F, const M: usize, const T: usize> {
    sums: &'a [f32],
    step: usize,
    bias: f32,
    width: usize,
    out: &'a mut [f32],
    filter: PhantomData<F>,
}

impl<'a, F, const M: usize, const T: usize> Sums<'a, F, M, T> {
    /// From one place of a tile to the next it is `step` numbers; `width` is that of the output.
    pub fn new(sums: &'a [f32], step: usize, bias: f32, width: usize, out: &'a mut [f32]) -> Self {
        Self { sums, step, bias, width, out, filter: PhantomData }
    }
}

impl<F: Filter<M, T>, const M: usize, const T: usize> Loops for Sums<'_, F, M, T> {
    #[inline(always)]
    fn run(self) {
        let Self { sums, step, bias, width, out, .. } = self;
        let across = width.div_ceil(M);
        for (tile, out) in out.chunks_mut(M * width).enumerate() {
            for first in (0..across).step_by(LANES) {
                let sums = &sums[tile * across + first..];
                let mut rows = [[[0.0; LANES]; M]; T];
                for y in 0..T {
                    let mut begins = [0; T];
                    for x in 0..T {
                        begins[x] = (T * y + x) * step;
                    }
                    rows[y] = F::outputs(tile_row(sums, begins));
                }
                let mut columns = [[[0.0; LANES]; M]; M];
                for x in 0..M {
                    columns[x] = F::outputs(column(&rows, x));
                }
                for (y, out) in out.chunks_exact_mut(width).enumerate() {
                    let (whole, rest) = out[M * first..].as_chunks_mut::<M>();
                    for i in 0..whole.len().min(LANES) {
                        for x in 0..M {
                            whole[i][x] = bias + columns[x][y][i];
                        }
                    }
                    // The last tile may reach beyond the right edge.
                    if whole.len() < LANES {
                        for x in 0..rest.len() {
                            rest[x] = bias + columns[x][y][whole.len()];
                        }
                    }
                }
            }
        }
    }
}
