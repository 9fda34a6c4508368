//! What unnoise computes most on a processor, on slices of single precision: a crate of its own, so that these few loops are compiled
//! for speed and the rest for size.
//!
//! No entry is inlined (`#[inline(never)]`): within a caller that is compiled for size its loops would be, too, and use no vectors.
//!
//! Each result is a sum in one order whatever the batch, so that a picture's bits do not depend on the others.

// An iterator's closures may not be compiled for the vectors that a loop is compiled for (see `vectors.rs`).
#![allow(clippy::needless_range_loop)]

mod conv;
mod gelu;
mod lanes;
mod norm;
mod parallel;
mod scratch;
mod silu;
mod softmax;
mod vectors;

pub use conv::{Convolution, Transformed, convolve};
pub use gelu::{gated_gelu, gelu};
pub use norm::{Normalisation, normalise};
pub use silu::{silu, silu_back};
pub use softmax::softmax;
