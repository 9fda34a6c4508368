//! Any convolution, without im2col.
//!
//! im2col copies every pixel as often as a kernel uses it, which takes as long as the products. Here a picture is copied once, with
//! its padding: then the inputs of a weight, along all positions of the output, are one contiguous row, which begins at an offset of
//! its own. Positions beyond the right edge are computed along and dropped.

use super::Convolution;
use super::planes::Planes;
use super::products::{POSITIONS, Products, ROWS};
use crate::parallel::for_each;
use crate::scratch::scratch;

pub fn conv(x: &[f32], weight: &[f32], bias: &[f32], shape: &Convolution, out: &mut [f32]) {
    let [height, width] = shape.out();
    let planes = Planes {
        channels: shape.inputs,
        size: shape.size,
        before: shape.padding.map(|[before, _]| before),
        stride: shape.stride,
        plane: [0, 1].map(|i| shape.padded(i).div_ceil(shape.stride[i])),
    };
    let columns = planes.plane[1];
    let row = ((height - 1) * columns + width).next_multiple_of(POSITIONS);
    let offsets = offsets(shape, &planes);
    let work = shape.multiplications();
    let last = offsets.iter().max().copied().unwrap_or(0);
    let image = |(x, out): (&[f32], &mut [f32])| {
        scratch([planes.count().max(last + row)], |[padded]| {
            padded.fill(0.0);
            planes.fill(x, padded);
            let inputs = &*padded;
            let block = |(i, out): (usize, &mut [f32])| {
                let count = out.len() / (height * width);
                let weight = &weight[i * ROWS * offsets.len()..][..count * offsets.len()];
                let bias = &bias[i * ROWS..][..count];
                let start = std::array::from_fn(|i| bias.get(i).copied().unwrap_or(0.0));
                scratch([ROWS * row, ROWS * offsets.len()], |[sums, packed]| {
                    let (packed, _) = packed.as_chunks_mut();
                    pack(weight, packed);
                    Products { packed, offsets: &offsets, inputs, sums, start, row }.sum();
                    for (sums, out) in sums.chunks_exact(row).zip(out.chunks_exact_mut(height * width)) {
                        let lines = sums.chunks(columns).zip(out.chunks_exact_mut(width));
                        lines.for_each(|(from, to)| to.copy_from_slice(&from[..width]));
                    }
                });
            };
            for_each(work, out.chunks_mut(ROWS * height * width).enumerate(), block);
        });
    };
    let images = x.chunks_exact(shape.inputs * shape.size[0] * shape.size[1]);
    for_each(shape.batch * work, images.zip(out.chunks_exact_mut(shape.outputs * height * width)), image);
}

/// Where the inputs of each weight begin.
fn offsets(shape: &Convolution, planes: &Planes) -> Vec<usize> {
    let [height, width] = shape.kernel;
    let kernel = |channel| (0..height).flat_map(move |y| (0..width).map(move |x| planes.at(channel, y, x)));
    (0..shape.inputs).flat_map(kernel).collect()
}

/// The weights of outputs side by side. Rows beyond the last output are zero.
fn pack(weight: &[f32], to: &mut [[f32; ROWS]]) {
    to.fill([0.0; ROWS]);
    for (row, weight) in weight.chunks_exact(to.len()).enumerate() {
        for (to, weight) in to.iter_mut().zip(weight) {
            to[row] = *weight;
        }
    }
}
