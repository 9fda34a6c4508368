//! Group normalisation on the processor: with what is added before it and the activation after it, in one pass each for the mean, the
//! variance and the result. burn makes eight of it, each with a tensor of its own.

use crate::lanes::sum;
use crate::parallel::for_each;
use crate::silu;

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
pub fn normalise(x: &[f32], added: &[f32], weight: &[f32], bias: &[f32], shape: &Normalisation) -> Vec<f32> {
    let &Normalisation { groups, channels, pixels, eps, silu } = shape;
    let width = channels / groups;
    let mut out = vec![0.0; x.len()];
    let parts = x.chunks_exact(width * pixels).zip(added.chunks_exact(width)).zip(out.chunks_exact_mut(width * pixels));
    for_each(parts.enumerate(), |(i, ((x, added), out))| {
        let count = (width * pixels) as f64;
        let planes = || x.chunks_exact(pixels).zip(added);
        let sums = planes().map(|(x, &added)| sum(x, |x| x) + pixels as f64 * f64::from(added));
        let mean = (sums.sum::<f64>() / count) as f32;
        let squares = planes().map(|(x, &added)| {
            let shift = added - mean;
            sum(x, |x| (x + shift) * (x + shift))
        });
        let deviation = ((squares.sum::<f64>() / count) as f32 + eps).sqrt();
        let first = i % groups * width;
        let affine = weight[first..].iter().zip(&bias[first..]);
        for (((x, &added), out), (&weight, &bias)) in planes().zip(out.chunks_exact_mut(pixels)).zip(affine) {
            let (shift, factor) = (added - mean, weight / deviation);
            let normalised = x.iter().map(|x| (x + shift) * factor + bias);
            let pixels = out.iter_mut().zip(normalised);
            if silu {
                pixels.for_each(|(out, x)| *out = silu::value(x));
            } else {
                pixels.for_each(|(out, x)| *out = x);
            }
        }
    });
    out
}
