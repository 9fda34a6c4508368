//! Convolution as a product of matrices, `[outputs, inputs * kernel] x [inputs * kernel, pixels]`, of which the second is read from the picture
//! as it is needed. A workgroup makes a tile of the result: its slices of both factors lie in the memory that it shares, and each unit keeps a
//! block of sums in registers.

use cubecl::client::Client;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// What a convolution is, and what is done on the way in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the pictures.
    pub size: [usize; 2],
    /// Height and width that the pictures are convolved at: `size`, or twice that or one less, at which each pixel is repeated.
    pub seen: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows above and below, columns left and right.
    pub padding: [[usize; 2]; 2],
}

impl Convolution {
    /// Height and width of what comes out.
    pub fn out(&self) -> [usize; 2] {
        [0, 1].map(|i| (self.seen[i] + self.padding[i].iter().sum::<usize>() - self.kernel[i]) / self.stride[i] + 1)
    }
}

/// The kind of adapter that a device is of, by which tiles are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    Card,
    /// A software adapter, as SwiftShader and lavapipe are: few cores, and shared memory that is no faster than any other.
    Software,
}

/// Rows of the slices of the factors: terms of the sums that are in shared memory at a time.
const DEPTH: u32 = 16;

/// Workgroups that a dimension of a launch may have over WebGPU.
const MOST: u32 = 65_535;

/// What a kernel is compiled for; sizes of pictures and numbers of channels are not part of it, so that a network needs few kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Plan {
    kernel: [u32; 2],
    stride: [u32; 2],
    /// Above and left.
    padding: [u32; 2],
    repeats: bool,
    /// Units of a workgroup along pixels, and as many along channels.
    side: u32,
    /// Fours of channels a unit.
    fours: u32,
    /// Fours of pixels a unit.
    wide: u32,
}

/// Arguments of a launch.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Sizes {
    inputs: u32,
    outputs: u32,
    height: u32,
    width: u32,
    seen_height: u32,
    seen_width: u32,
    columns: u32,
    /// Of a picture that comes out.
    pixels: u32,
    /// Of all of them.
    all_pixels: u32,
}

type Four = Vector<f32, Const<4>>;

#[cube(launch_unchecked)]
fn tile<X: Float, W: Float>(
    x: &[X],
    weight: &[W],
    bias: &[X],
    residual: ComptimeOption<&[X]>,
    out: &mut [X],
    sizes: Sizes,
    #[comptime] plan: Plan,
    #[define(X)] _pictures: ElemType,
    #[define(W)] _weights: ElemType,
) {
    let top_padding = comptime!(plan.padding[0] as i32);
    let left_padding = comptime!(plan.padding[1] as i32);
    let side = comptime!(plan.side as usize);
    let fours = comptime!(plan.fours as usize);
    let wide = comptime!(plan.wide as usize);
    // One place more a row, so that units that write a column meet different banks.
    let row = comptime!(side * fours + 1);
    let mut weights = Shared::<[Four]>::new_slice(comptime!(DEPTH as usize * row));
    let mut pixels = Shared::<[Four]>::new_slice(comptime!(DEPTH as usize * side * wide));
    let mut sums = Array::<Four>::new(comptime!(4 * fours * wide));
    #[unroll]
    for i in 0..comptime!(4 * fours * wide) {
        sums[i] = Four::new(0.0);
    }

    let across = UNIT_POS % plan.side;
    let down = UNIT_POS / plan.side;
    let area = comptime!(plan.kernel[0] * plan.kernel[1]);
    let terms = sizes.inputs * area;
    let first_channel = CUBE_POS_Y * comptime!(plan.side * 4 * plan.fours);
    // A unit's fours of pixels stand apart, so that what neighbouring units read and write stands together.
    let apart = comptime!(4 * plan.side);
    let first_pixel = (CUBE_POS_Z * MOST + CUBE_POS_X) * comptime!(4 * plan.side * plan.wide) + across * 4;

    // Where this unit's pixels begin in the padded picture, and which channels are before their pictures.
    let mut tops = Array::<i32>::new(comptime!(4 * wide));
    let mut lefts = Array::<i32>::new(comptime!(4 * wide));
    let mut before = Array::<u32>::new(comptime!(4 * wide));
    #[unroll]
    for i in 0..comptime!(4 * plan.wide) {
        let pixel = first_pixel + comptime!(i / 4) * apart + comptime!(i % 4);
        let place = pixel % sizes.pixels;
        let top = (place / sizes.columns) * comptime!(plan.stride[0]);
        let left = (place % sizes.columns) * comptime!(plan.stride[1]);
        tops[i as usize] = top as i32 - top_padding;
        lefts[i as usize] = left as i32 - left_padding;
        before[i as usize] = (pixel / sizes.pixels) * sizes.inputs;
    }

    for first_term in range_stepped(0u32, terms, DEPTH) {
        // Fours of channels of the weights: neighbouring units read neighbouring terms.
        let loads = comptime!((side * fours * DEPTH as usize).div_ceil(side * side) as u32);
        #[unroll]
        for load in 0..loads {
            let place = UNIT_POS + load * comptime!(plan.side * plan.side);
            let term = place % DEPTH;
            let four = place / DEPTH;
            if four < comptime!(plan.side * plan.fours) {
                let mut value = Four::new(0.0);
                #[unroll]
                for i in 0..4u32 {
                    let channel = first_channel + four * 4 + i;
                    if channel < sizes.outputs && first_term + term < terms {
                        let at = channel * terms + first_term + term;
                        value.insert(i as usize, f32::cast_from(weight[at as usize]));
                    }
                }
                weights[(term as usize) * row + four as usize] = value;
            }
        }
        // Fours of pixels of the pictures: a unit's own, of every so many terms.
        let loads = comptime!(DEPTH.div_ceil(plan.side));
        #[unroll]
        for load in 0..loads {
            let row_of_terms = down + load * plan.side;
            if row_of_terms < DEPTH {
                let term = first_term + row_of_terms;
                let channel = term / area;
                let tap = term % area;
                let tap_row = tap / comptime!(plan.kernel[1]);
                let tap_column = tap % comptime!(plan.kernel[1]);
                #[unroll]
                for four in 0..comptime!(plan.wide) {
                    let mut value = Four::new(0.0);
                    if term < terms {
                        #[unroll]
                        for j in 0..4u32 {
                            let i = comptime!((4 * four + j) as usize);
                            let y = tops[i] + tap_row as i32;
                            let x_at = lefts[i] + tap_column as i32;
                            let inside =
                                y >= 0 && y < sizes.seen_height as i32 && x_at >= 0 && x_at < sizes.seen_width as i32;
                            if inside && first_pixel + four * apart + j < sizes.all_pixels {
                                let repeat = comptime!(if plan.repeats { 2u32 } else { 1u32 });
                                let plane = before[i] + channel;
                                let at =
                                    (plane * sizes.height + y as u32 / repeat) * sizes.width + x_at as u32 / repeat;
                                value.insert(j as usize, f32::cast_from(x[at as usize]));
                            }
                        }
                    }
                    pixels[((row_of_terms * plan.wide + four) * plan.side + across) as usize] = value;
                }
            }
        }
        sync_cube();
        #[unroll]
        for term in 0..comptime!(DEPTH as usize) {
            let mut factors = Array::<Four>::new(fours);
            #[unroll]
            for four in 0..fours {
                factors[four] = weights[term * row + down as usize * fours + four];
            }
            #[unroll]
            for place in 0..wide {
                let pixel = pixels[(term * wide + place) * side + across as usize];
                #[unroll]
                for i in 0..comptime!(4 * fours) {
                    let factor = factors[comptime!(i / 4)].extract(comptime!(i % 4));
                    sums[comptime!(i * wide + place)] += Four::new(factor) * pixel;
                }
            }
        }
        sync_cube();
    }

    #[unroll]
    for i in 0..comptime!(4 * plan.fours) {
        let channel = first_channel + down * comptime!(4 * plan.fours) + i;
        if channel < sizes.outputs {
            let start = f32::cast_from(bias[channel as usize]);
            #[unroll]
            for j in 0..comptime!(4 * plan.wide) {
                let sum = sums[comptime!((i * plan.wide + j / 4) as usize)];
                let pixel = first_pixel + comptime!(j / 4) * apart + comptime!(j % 4);
                if pixel < sizes.all_pixels {
                    let plane = (pixel / sizes.pixels) * sizes.outputs + channel;
                    let at = (plane * sizes.pixels + pixel % sizes.pixels) as usize;
                    let more: ComptimeOption<f32> = residual.as_ref().map(|residual| f32::cast_from(residual[at]));
                    let more = more.unwrap_or_else(|| f32::new(0.0));
                    out[at] = X::cast_from(sum.extract(comptime!((j % 4) as usize)) + start + more);
                }
            }
        }
    }
}

/// What a convolution reads and writes, contiguous.
pub struct Convolved {
    pub x: TensorBinding,
    /// `[outputs, inputs, height, width]`.
    pub weight: TensorBinding,
    pub bias: TensorBinding,
    /// What is added to the result.
    pub residual: Option<TensorBinding>,
    pub out: TensorBinding,
}

/// Computes `out`; everything but the weights is of the first kind of numbers, the weights of the second.
pub fn convolve(
    client: &Client,
    adapter: Adapter,
    tensors: Convolved,
    shape: &Convolution,
    [pictures, weights]: [ElemType; 2],
) {
    let [rows, columns] = shape.out();
    let all_pixels = shape.batch * rows * columns;
    let [side, fours, wide] = tiling(shape.outputs, all_pixels, adapter);
    let plan = Plan {
        kernel: shape.kernel.map(|n| n as u32),
        stride: shape.stride.map(|n| n as u32),
        padding: shape.padding.map(|[before, _]| before as u32),
        repeats: shape.seen != shape.size,
        side,
        fours,
        wide,
    };
    let sizes = SizesLaunch::new(
        shape.inputs as u32,
        shape.outputs as u32,
        shape.size[0] as u32,
        shape.size[1] as u32,
        shape.seen[0] as u32,
        shape.seen[1] as u32,
        columns as u32,
        (rows * columns) as u32,
        all_pixels as u32,
    );
    let tiles = |places: usize, tile: u32| places.div_ceil(tile as usize) as u32;
    let along = tiles(all_pixels, 4 * side * wide);
    let count = CubeCount::Static(along.min(MOST), tiles(shape.outputs, 4 * side * fours), along.div_ceil(MOST));
    let Convolved { x, weight, bias, residual, out } = tensors;
    // SAFETY: every index is checked against the sizes that the tensors have.
    unsafe {
        tile::launch_unchecked(
            client,
            count,
            CubeDim::new_1d(side * side),
            x.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            residual.map(TensorBinding::into_buffer_arg).into(),
            out.into_buffer_arg(),
            sizes,
            plan,
            pictures,
            weights,
        );
    }
}

/// Units along a side of a workgroup, and fours of channels and of pixels a unit. Large tiles read less, small ones leave fewer cores without
/// work: the first tile of fewer than twice the channels that there are, if there are enough of it to keep the adapter busy.
fn tiling(outputs: usize, pixels: usize, adapter: Adapter) -> [u32; 3] {
    let (plans, busy) = match adapter {
        Adapter::Card => ([[16, 2, 2], [16, 2, 1], [16, 1, 1]], 64),
        Adapter::Software => ([[16, 2, 2], [8, 2, 2], [8, 1, 2]], 4),
    };
    let suits = |[side, fours, wide]: &[u32; 3]| {
        let [channels, along] = [4 * side * fours, 4 * side * wide].map(|n| n as usize);
        2 * outputs > channels && outputs.div_ceil(channels) * pixels.div_ceil(along) >= busy
    };
    plans.into_iter().find(suits).unwrap_or([8, 1, 1])
}
