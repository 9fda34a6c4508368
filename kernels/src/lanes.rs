//! Sums of many numbers.

use crate::vectors::{Loops, loops};

/// Numbers that are taken side by side, as the processor's vectors are.
pub const LANES: usize = 16;
/// Numbers after which what was summed side by side is added up in double precision.
const BLOCK: usize = 256 * LANES;

/// The sum of all.
pub fn sum(x: &[f32]) -> f64 {
    added_up(x, None)
}

/// The sum of `(x + shift)^2` of all.
pub fn squares(x: &[f32], shift: f32) -> f64 {
    added_up(x, Some(shift))
}

fn added_up(x: &[f32], squares: Option<f32>) -> f64 {
    let mut total = 0.0;
    for x in x.chunks(BLOCK) {
        let mut lanes = [0.0; LANES];
        loops(Block { x, squares, lanes: &mut lanes });
        total += lanes.into_iter().map(f64::from).sum::<f64>();
    }
    total
}

struct Block<'a> {
    x: &'a [f32],
    /// Whether squares are summed, and of what beyond the numbers.
    squares: Option<f32>,
    lanes: &'a mut [f32; LANES],
}

impl Loops for Block<'_> {
    #[inline(always)]
    fn run(self) {
        let (whole, rest) = self.x.as_chunks::<LANES>();
        // A sum of its own, so that it stays in a register.
        let mut lanes = [0.0; LANES];
        match self.squares {
            None => {
                for x in whole {
                    for i in 0..LANES {
                        lanes[i] += x[i];
                    }
                }
                for (lane, x) in lanes.iter_mut().zip(rest) {
                    *lane += x;
                }
            }
            Some(shift) => {
                for x in whole {
                    for i in 0..LANES {
                        lanes[i] += (x[i] + shift) * (x[i] + shift);
                    }
                }
                for (lane, x) in lanes.iter_mut().zip(rest) {
                    *lane += (x + shift) * (x + shift);
                }
            }
        }
        *self.lanes = lanes;
    }
}
