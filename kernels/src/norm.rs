//! Group normalisation on the processor: with what is added before it and the activation after it, in one pass each for the mean, the
//! variance and the result. burn makes eight of it, each with a tensor of its own.

use crate::lanes::{squares, sum};
use crate::parallel::{ACTIVATION, for_each};
use crate::silu;
use crate::vectors::{Loops, loops};

#[derive(Clone, Copy, Debug)]
pub struct Normalisation {
    pub groups: usize,
    pub channels: usize,
    /// Height times width.
    pub pixels: usize,
    pub eps: f32,
    /// Whether SiLU comes after it.
    pub silu: bool,
}

/// The normalisation of `x + added`, where `x` is `[batch, channels, pixels]` and `added` `[batch, channels]`, times `weight` plus
/// `bias` `[channels]`.
#[inline(never)]
pub fn normalise(x: &[f32], added: &[f32], weight: &[f32], bias: &[f32], shape: &Normalisation) -> Vec<f32> {
    let &Normalisation { groups, channels, pixels, eps, silu } = shape;
    let width = channels / groups;
    let mut out = vec![0.0; x.len()];
    let parts = x.chunks_exact(width * pixels).zip(added.chunks_exact(width)).zip(out.chunks_exact_mut(width * pixels));
    for_each(ACTIVATION * x.len(), parts.enumerate(), |(i, ((x, added), out))| {
        let count = (width * pixels) as f64;
        let planes = || x.chunks_exact(pixels).zip(added);
        let sums = planes().map(|(x, &added)| sum(x) + pixels as f64 * f64::from(added));
        let mean = (sums.sum::<f64>() / count) as f32;
        let squares = planes().map(|(x, &added)| squares(x, added - mean));
        let deviation = ((squares.sum::<f64>() / count) as f32 + eps).sqrt();
        let first = i % groups * width;
        let affine = weight[first..].iter().zip(&bias[first..]);
        for (((x, &added), out), (&weight, &bias)) in planes().zip(out.chunks_exact_mut(pixels)).zip(affine) {
            loops(Affine { x, shift: added - mean, factor: weight / deviation, bias, silu, out });
        }
    });
    out
}

/// `(x + shift) * factor + bias`, and SiLU of it where that comes after.
struct Affine<'a> {
    x: &'a [f32],
    shift: f32,
    factor: f32,
    bias: f32,
    silu: bool,
    out: &'a mut [f32],
}

impl Loops for Affine<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { x, shift, factor, bias, silu, out } = self;
        if silu {
            for (out, x) in out.iter_mut().zip(x) {
                *out = silu::value((x + shift) * factor + bias);
            }
        } else {
            for (out, x) in out.iter_mut().zip(x) {
                *out = (x + shift) * factor + bias;
            }
        }
    }
}
