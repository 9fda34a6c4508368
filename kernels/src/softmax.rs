//! Softmax, `e^x` over the sum of all of a row.

use crate::lanes::{LANES, sum};
use crate::parallel::for_each;
use crate::silu::{MOST, exp};

/// Rows that one thread takes at once: less work does not pay for handing it over.
const TOGETHER: usize = 1 << 14;

/// Of each row of `width` numbers.
pub fn softmax(x: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let part = (TOGETHER / width).max(1) * width;
    for_each(x.chunks(part).zip(out.chunks_mut(part)), |(x, out)| {
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let largest = largest(x);
            // The largest gives 1; what is less by more than this is 0 beside it.
            let power = |x: f32| if x - largest < -MOST { 0.0 } else { exp((x - largest).max(-MOST)) };
            out.iter_mut().zip(x).for_each(|(out, x)| *out = power(*x));
            let factor = (1.0 / sum(out, |x| x)) as f32;
            out.iter_mut().for_each(|out| *out *= factor);
        }
    });
    out
}

fn largest(x: &[f32]) -> f32 {
    let (whole, rest) = x.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    for x in whole {
        (0..LANES).for_each(|i| lanes[i] = larger(lanes[i], x[i]));
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger)
}
