//! Group normalisation: a workgroup a group, which reads it three times: for the mean, for the variance, and for the result.

use cubecl::client::Client;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// What a normalisation is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    pub batch: usize,
    pub channels: usize,
    pub groups: usize,
    /// Of a picture.
    pub pixels: usize,
    pub eps: f32,
    /// Whether SiLU follows.
    pub silu: bool,
}

/// What a normalisation reads and writes, contiguous.
pub struct Normalised {
    pub x: TensorBinding,
    /// `[batch, channels]`, added to the pixels before.
    pub added: Option<TensorBinding>,
    pub weight: TensorBinding,
    pub bias: TensorBinding,
    pub out: TensorBinding,
}

const UNITS: u32 = 256;

#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Sizes {
    channels: u32,
    /// Channels of a group.
    width: u32,
    pixels: u32,
    eps: f32,
}

#[cube(launch_unchecked)]
fn group<X: Float, W: Float>(
    x: &[X],
    added: ComptimeOption<&[X]>,
    weight: &[W],
    bias: &[W],
    out: &mut [X],
    sizes: Sizes,
    #[comptime] silu: bool,
    #[define(X)] _pictures: ElemType,
    #[define(W)] _weights: ElemType,
) {
    let group = CUBE_POS_X;
    let numbers = sizes.width * sizes.pixels;
    let first = group * numbers;
    let first_channel = group * sizes.width;
    let mut parts = Shared::<[f32]>::new_slice(UNITS as usize);

    let mut sum = f32::new(0.0);
    for i in range_stepped(UNIT_POS, numbers, UNITS) {
        sum += number(x, added, first + i, first_channel + i / sizes.pixels);
    }
    let mean = total(&mut parts, sum) / f32::cast_from(numbers);

    let mut squares = f32::new(0.0);
    for i in range_stepped(UNIT_POS, numbers, UNITS) {
        let away = number(x, added, first + i, first_channel + i / sizes.pixels) - mean;
        squares += away * away;
    }
    let variance = total(&mut parts, squares) / f32::cast_from(numbers);
    let deviation = (variance + sizes.eps).sqrt();

    for i in range_stepped(UNIT_POS, numbers, UNITS) {
        let channel = first_channel + i / sizes.pixels;
        let factor = f32::cast_from(weight[(channel % sizes.channels) as usize]) / deviation;
        let shift = f32::cast_from(bias[(channel % sizes.channels) as usize]);
        let mut value = (number(x, added, first + i, channel) - mean) * factor + shift;
        if silu {
            value = value / (1.0 + (-value).exp());
        }
        out[(first + i) as usize] = X::cast_from(value);
    }
}

#[cube]
fn number<X: Float>(x: &[X], added: ComptimeOption<&[X]>, at: u32, channel: u32) -> f32 {
    let more: ComptimeOption<f32> = added.map(|added| f32::cast_from(added[channel as usize]));
    f32::cast_from(x[at as usize]) + more.unwrap_or_else(|| f32::new(0.0))
}

/// The sum of `part` over the units.
#[cube]
fn total(parts: &mut Shared<[f32]>, part: f32) -> f32 {
    // What an earlier sum left there has been read by all.
    sync_cube();
    parts[UNIT_POS as usize] = part;
    #[unroll]
    for step in 0..comptime!(UNITS.ilog2()) {
        let half = comptime!(UNITS >> (step + 1));
        sync_cube();
        if UNIT_POS < half {
            let other = parts[(UNIT_POS + half) as usize];
            parts[UNIT_POS as usize] += other;
        }
    }
    sync_cube();
    parts[0]
}

/// Computes `out`; pictures and weights are of these kinds of numbers.
pub fn normalise(client: &Client, tensors: Normalised, shape: &Normalisation, [pictures, weights]: [ElemType; 2]) {
    let sizes =
        SizesLaunch::new(shape.channels as u32, (shape.channels / shape.groups) as u32, shape.pixels as u32, shape.eps);
    let Normalised { x, added, weight, bias, out } = tensors;
    // SAFETY: the groups and their channels are those of the tensors.
    unsafe {
        group::launch_unchecked(
            client,
            CubeCount::Static((shape.batch * shape.groups) as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            x.into_buffer_arg(),
            added.map(TensorBinding::into_buffer_arg).into(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            out.into_buffer_arg(),
            sizes,
            shape.silu,
            pictures,
            weights,
        );
    }
}
