//! GELU, `x` times the normal distribution function (Hendrycks & Gimpel 2016, arXiv 1606.08415).
//!
//! The error function of the C library branches, and is computed one number at a time. This one is a rational function, which the
//! compiler evaluates for several at once; it is the same to the last bit wherever single precision is that of IEEE 754.

use crate::parallel::{ACTIVATION, for_each};
use crate::vectors::{Loops, loops};
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// Numbers that one thread takes at once.
const TOGETHER: usize = 1 << 13;

/// Of every number.
#[inline(never)]
pub fn gelu(x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    for_each(ACTIVATION * x.len(), x.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER)), |(x, out)| loops(Gelu { x, out }));
    out
}

/// Rows of `width` values and as many gates, `value * gelu(gate)`: rows of `width` (GEGLU, Shazeer 2020, arXiv 2002.05202).
#[inline(never)]
pub fn gated_gelu(x: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len() / 2];
    let rows = (TOGETHER / width).max(1);
    for_each(ACTIVATION * out.len(), x.chunks(2 * rows * width).zip(out.chunks_mut(rows * width)), |(x, out)| {
        for (x, out) in x.chunks_exact(2 * width).zip(out.chunks_exact_mut(width)) {
            let (values, gates) = x.split_at(width);
            loops(Gated { values, gates, out });
        }
    });
    out
}

struct Gelu<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Loops for Gelu<'_> {
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = value(x);
        }
    }
}

struct Gated<'a> {
    values: &'a [f32],
    gates: &'a [f32],
    out: &'a mut [f32],
}

impl Loops for Gated<'_> {
    #[inline(always)]
    fn run(self) {
        for ((out, x), &gate) in self.out.iter_mut().zip(self.values).zip(self.gates) {
            *out = x * value(gate);
        }
    }
}

#[inline(always)]
fn value(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2))
}

/// From here on it is 1 in single precision.
const END: f32 = 4.0;

/// Coefficients of powers of `x^2`, highest first: the rational function of these degrees whose largest relative error up to [`END`] is
/// least, 2.5e-8, found by least squares with weights that follow the error.
const ABOVE: [f32; 6] = [1.986_777_4e-6, 2.845_675_2e-4, 3.883_400_3e-3, 5.310_192_3e-2, 0.193_546_32, FRAC_2_SQRT_PI];
const BELOW: [f32; 6] = [3.742_020_8e-5, 1.185_585_4e-3, 1.520_736_5e-2, 0.115_350_53, 0.504_858_5, 1.0];

#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-END, END);
    let square = x * x;
    let (mut above, mut below) = (0.0, 0.0);
    for i in 0..ABOVE.len() {
        above = above * square + ABOVE[i];
        below = below * square + BELOW[i];
    }
    x * above / below
}
