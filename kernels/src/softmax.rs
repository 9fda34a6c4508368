//! Softmax, `e^x` over the sum of all of a row.

use crate::lanes::{LANES, sum};
use crate::parallel::{ACTIVATION, for_each};
use crate::silu::{MOST, exp};
use crate::vectors::{Loops, loops};

/// Rows that one thread takes at once: less work does not pay for handing it over.
const TOGETHER: usize = 1 << 14;

/// Of each row of `width` numbers.
#[inline(never)]
pub fn softmax(x: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let part = (TOGETHER / width).max(1) * width;
    for_each(ACTIVATION * x.len(), x.chunks(part).zip(out.chunks_mut(part)), |(x, out)| {
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            loops(Powers { x, out });
            let factor = (1.0 / sum(out)) as f32;
            out.iter_mut().for_each(|out| *out *= factor);
        }
    });
    out
}

/// `e^x` over that of the largest.
struct Powers<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Loops for Powers<'_> {
    #[inline(always)]
    fn run(self) {
        let largest = largest(self.x);
        for (out, x) in self.out.iter_mut().zip(self.x) {
            // The largest gives 1; what is less by more than this is 0 beside it.
            let below = x - largest;
            *out = if below < -MOST { 0.0 } else { exp(larger(-MOST, below)) };
        }
    }
}

#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    let (whole, rest) = x.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for x in whole {
        for i in 0..LANES {
            lanes[i] = larger(lanes[i], x[i]);
        }
    }
    let mut largest = f32::NEG_INFINITY;
    for &x in lanes.iter().chain(rest) {
        largest = larger(largest, x);
    }
    largest
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}
