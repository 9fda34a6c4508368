//! Scaled dot-product attention without its matrix of scores (Dao et al. 2022, arXiv 2205.14135): a workgroup takes a block of positions
//! through all sources, block by block, and keeps the largest score and the sum of exponentials of each position so far.

use cubecl::client::Client;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

/// How positions and channels lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[batch, positions, channels]`.
    ChannelsLast,
    /// `[batch, channels, positions]`.
    ChannelsFirst,
}

/// What an attention is: of `q` and the result to `k` and `v`, of `heads * width` channels each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    pub batch: usize,
    pub positions: usize,
    pub sources: usize,
    pub heads: usize,
    /// Channels of a head.
    pub width: usize,
    pub layout: Layout,
}

/// What an attention reads and writes, contiguous.
pub struct Attended {
    pub q: TensorBinding,
    pub k: TensorBinding,
    pub v: TensorBinding,
    pub out: TensorBinding,
}

/// Positions, sources and channels of a block.
const BLOCK: u32 = 32;
/// Units along a side of a workgroup: each has four positions, and four sources or channels.
const SIDE: u32 = BLOCK / 4;
/// Fours of a row of a block in shared memory, with one more so that units that read a column meet different banks.
const ROW: u32 = SIDE + 1;

#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Sizes {
    positions: u32,
    sources: u32,
    heads: u32,
    width: u32,
    scale: f32,
}

type Four = Vector<f32, Const<4>>;

/// Loops whose index names no register stay loops: unrolled, the kernel takes seconds to compile. A workgroup has so many slices of a
/// head's channels of the result in registers; where there are more, others compute the same scores for the rest. Only the number of slices
/// is part of the kernel, so that few are compiled.
#[cube(launch_unchecked)]
fn block<X: Float>(
    q: &[X],
    k: &[X],
    v: &[X],
    out: &mut [X],
    sizes: Sizes,
    #[comptime] kept: u32,
    #[comptime] layout: Layout,
    #[define(X)] _numbers: ElemType,
) {
    let width = sizes.width;
    let slices = width.div_ceil(BLOCK);
    let across = UNIT_POS % SIDE;
    let down = UNIT_POS / SIDE;
    let head = CUBE_POS_Y % sizes.heads;
    let image = CUBE_POS_Y / sizes.heads;
    let first = CUBE_POS_X * BLOCK;
    let first_kept = CUBE_POS_Z * kept;
    let channels = sizes.heads * width;
    let channel = head * width;

    let mut left = Shared::<[Four]>::new_slice(comptime!((BLOCK * ROW) as usize));
    let mut right = Shared::<[Four]>::new_slice(comptime!((BLOCK * ROW) as usize));
    let mut shares = Shared::<[f32]>::new_slice(comptime!((BLOCK * SIDE) as usize));

    let mut result = Array::<Four>::new(comptime!((4 * kept) as usize));
    let mut largest = Array::<f32>::new(4usize);
    let mut sums = Array::<f32>::new(4usize);
    let mut scores = Array::<f32>::new(16usize);
    #[unroll]
    for i in 0..comptime!((4 * kept) as usize) {
        result[i] = Four::new(0.0);
    }
    #[unroll]
    for i in 0..4usize {
        largest[i] = f32::new(LOWEST);
        sums[i] = f32::new(0.0);
    }

    for source in range_stepped(0u32, sizes.sources, BLOCK) {
        #[unroll]
        for i in 0..16usize {
            scores[i] = f32::new(0.0);
        }
        for slice in 0..slices {
            sync_cube();
            fill(&mut left, q, &Rows { image, first, rows: sizes.positions, channels, channel }, slice, width, layout);
            fill(
                &mut right,
                k,
                &Rows { image, first: source, rows: sizes.sources, channels, channel },
                slice,
                width,
                layout,
            );
            sync_cube();
            for four in 0..SIDE {
                #[unroll]
                for i in 0..4u32 {
                    let a = left[((down * 4 + i) * ROW + four) as usize];
                    #[unroll]
                    for j in 0..4u32 {
                        let products = a * right[((across * 4 + j) * ROW + four) as usize];
                        let pairs = products.extract(0usize)
                            + products.extract(1usize)
                            + (products.extract(2usize) + products.extract(3usize));
                        scores[comptime!((4 * i + j) as usize)] += pairs;
                    }
                }
            }
        }

        // The largest score of each position, of this unit's sources and then of all of the block.
        #[unroll]
        for i in 0..4u32 {
            let mut top = f32::new(LOWEST);
            #[unroll]
            for j in 0..4u32 {
                let at = comptime!((4 * i + j) as usize);
                if source + across * 4 + j < sizes.sources {
                    scores[at] *= sizes.scale;
                } else {
                    scores[at] = f32::new(LOWEST);
                }
                top = top.max(scores[at]);
            }
            shares[((down * 4 + i) * SIDE + across) as usize] = top;
        }
        sync_cube();
        #[unroll]
        for i in 0..4u32 {
            let mut top = largest[i as usize];
            #[unroll]
            for j in 0..SIDE {
                top = top.max(shares[((down * 4 + i) * SIDE + j) as usize]);
            }
            // What was summed so far was measured from a smaller number.
            let less = (largest[i as usize] - top).exp();
            largest[i as usize] = top;
            sums[i as usize] *= less;
            #[unroll]
            for slice in 0..kept {
                result[comptime!((slice * 4 + i) as usize)] *= Four::new(less);
            }
            let mut weights = Four::new(0.0);
            #[unroll]
            for j in 0..4u32 {
                let mut weight = f32::new(0.0);
                if source + across * 4 + j < sizes.sources {
                    weight = (scores[comptime!((4 * i + j) as usize)] - top).exp();
                }
                weights.insert(j as usize, weight);
            }
            // All have read the scores' factors; the place is free for the weights.
            left[((down * 4 + i) * ROW + across) as usize] = weights;
        }
        #[unroll]
        for slice in 0..kept {
            sync_cube();
            fill(
                &mut right,
                v,
                &Rows { image, first: source, rows: sizes.sources, channels, channel },
                first_kept + slice,
                width,
                layout,
            );
            sync_cube();
            for four in 0..SIDE {
                #[unroll]
                for i in 0..4u32 {
                    let weights = left[((down * 4 + i) * ROW + four) as usize];
                    #[unroll]
                    for j in 0..4u32 {
                        let weight = weights.extract(j as usize);
                        let values = right[((four * 4 + j) * ROW + across) as usize];
                        result[comptime!((slice * 4 + i) as usize)] += Four::new(weight) * values;
                        if comptime!(slice == 0) {
                            sums[i as usize] += weight;
                        }
                    }
                }
            }
        }
    }

    #[unroll]
    for slice in 0..kept {
        #[unroll]
        for i in 0..4u32 {
            let position = first + down * 4 + i;
            let values = result[comptime!((slice * 4 + i) as usize)];
            #[unroll]
            for j in 0..4u32 {
                let place = (first_kept + slice) * BLOCK + across * 4 + j;
                if position < sizes.positions && place < width {
                    let rows = Rows { image, first, rows: sizes.positions, channels, channel };
                    let at = place_of(&rows, position, place, layout);
                    out[at as usize] = X::cast_from(values.extract(j as usize) / sums[i as usize]);
                }
            }
        }
    }
}

/// Slices of channels that a workgroup keeps. A unit has a four of four positions of each in registers.
const MOST_KEPT: u32 = 5;

/// Less than every score, and finite: the difference of two infinities is NaN.
const LOWEST: f32 = -3.0e38;

/// Rows from `first` on, of `rows`, of a head whose channels begin at `channel`.
#[derive(CubeType)]
struct Rows {
    image: u32,
    first: u32,
    rows: u32,
    channels: u32,
    channel: u32,
}

#[cube]
fn place_of(rows: &Rows, row: u32, within: u32, #[comptime] layout: Layout) -> u32 {
    if comptime!(layout == Layout::ChannelsLast) {
        (rows.image * rows.rows + row) * rows.channels + rows.channel + within
    } else {
        (rows.image * rows.channels + rows.channel + within) * rows.rows + row
    }
}

/// A block of rows of one slice of channels, with zeros beyond the end of either. Neighbouring units read what lies side by side.
#[cube]
fn fill<X: Float>(
    to: &mut Shared<[Four]>,
    from: &[X],
    rows: &Rows,
    slice: u32,
    width: u32,
    #[comptime] layout: Layout,
) {
    #[unroll]
    for load in 0..comptime!(BLOCK / SIDE) {
        let place = UNIT_POS + load * comptime!(SIDE * SIDE);
        let last = comptime!(layout == Layout::ChannelsLast);
        let row = if last { place / SIDE } else { place % BLOCK };
        let four = if last { place % SIDE } else { place / BLOCK };
        let mut values = Four::new(0.0);
        #[unroll]
        for i in 0..4u32 {
            let within = slice * BLOCK + four * 4 + i;
            if rows.first + row < rows.rows && within < width {
                let at = place_of(rows, rows.first + row, within, layout);
                values.insert(i as usize, f32::cast_from(from[at as usize]));
            }
        }
        to[(row * ROW + four) as usize] = values;
    }
}

/// Computes `out` of numbers of this kind.
pub fn attend(client: &Client, tensors: Attended, shape: &Attention, numbers: ElemType) {
    let Attention { batch, positions, sources, heads, width, layout } = *shape;
    let scale = (width as f32).powf(-0.5);
    let sizes = SizesLaunch::new(positions as u32, sources as u32, heads as u32, width as u32, scale);
    let slices = (width as u32).div_ceil(BLOCK);
    let groups = slices.div_ceil(MOST_KEPT);
    let count = CubeCount::Static((positions as u32).div_ceil(BLOCK), (batch * heads) as u32, groups);
    let Attended { q, k, v, out } = tensors;
    // SAFETY: every index is checked against the sizes that the tensors have.
    unsafe {
        block::launch_unchecked(
            client,
            count,
            CubeDim::new_1d(SIDE * SIDE),
            q.into_buffer_arg(),
            k.into_buffer_arg(),
            v.into_buffer_arg(),
            out.into_buffer_arg(),
            sizes,
            slices.div_ceil(groups),
            layout,
            numbers,
        );
    }
}
