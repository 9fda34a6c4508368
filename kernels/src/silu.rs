//! SiLU, `x / (1 + e^-x)` (Elfwing et al. 2018, arXiv 1702.03118).
//!
//! The exponentials of the C library are computed one at a time. These are written so that the compiler does several at once, and are
//! the same to the last bit wherever single precision is that of IEEE 754.

use crate::vectors::{Loops, loops};
use std::f32::consts::LOG2_E;

/// `x * sigmoid(x)` of every number.
#[inline(never)]
pub fn silu(x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    loops(Silu { x, out: &mut out });
    out
}

struct Silu<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Loops for Silu<'_> {
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = value(x);
        }
    }
}

/// The gradient with respect to `x`, from that with respect to the output.
#[inline(never)]
pub fn silu_back(x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let slope = |(&x, &gradient): (&f32, &f32)| {
        let x = least(x);
        let (s, rest) = sigmoid(x);
        gradient * s * (1.0 + x * rest)
    };
    x.iter().zip(gradient).map(slope).collect()
}

/// Of one number.
#[inline(always)]
pub fn value(x: f32) -> f32 {
    let x = least(x);
    x * sigmoid(x).0
}

/// Where the exponential is still above 0; SiLU is 0 from there on.
pub const MOST: f32 = 87.0;

#[inline(always)]
fn least(x: f32) -> f32 {
    x.clamp(-MOST, f32::INFINITY)
}

/// `1 / (1 + e^-x)` of `x` from [`least`], and what is left to 1.
#[inline(always)]
fn sigmoid(x: f32) -> (f32, f32) {
    let e = exp((-x).clamp(-MOST, MOST));
    let s = 1.0 / (1.0 + e);
    (s, e * s)
}

/// `e^x` for `x` within [`MOST`] of 0: two to the nearest whole power `n`, times the series of what is left, of at most `ln 2 / 2`.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Added to a number that is not too large it leaves no place for a fraction; the lowest bits are the whole number.
    const WHOLE: f32 = 12_582_912.0;
    /// `ln 2` in two parts, of which the first has so few digits that its products with `n` are exact.
    const HIGH: f32 = 355.0 / 512.0;
    const LOW: f32 = (std::f64::consts::LN_2 - HIGH as f64) as f32;
    let shifted = x * LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = x - n * HIGH - n * LOW;
    let mut sum = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + c;
    }
    sum * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}
