//! What networks compute most on a graphics card, in CubeCL, which makes WGSL of it in a browser: convolution as a product of tiles, group
//! normalisation, attention without its matrix of scores. Pictures are `[batch, channels, height, width]`, contiguous, before and after; sums
//! are in single precision whatever numbers are stored in.

mod attention;
pub mod bench;
mod conv;
mod norm;
pub mod shapes;

pub use attention::{Attended, Attention, Layout, attend};
pub use conv::{Adapter, Convolution, Convolved, convolve};
pub use norm::{Normalisation, Normalised, normalise};
