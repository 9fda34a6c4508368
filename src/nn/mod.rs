//! Floor 3: the layers that networks are made of.
//!
//! Fields, parameters and layouts are named and ordered as in diffusers and torch, so that weights load unchanged.

mod activation;
mod attention;
mod embeddings;
mod linear;
mod maps;
mod norm;
mod resampling;
mod resnet;
mod silu;
mod transformer;

pub use activation::Activation;
pub use attention::{Attention, SpatialAttention, attend};
pub use embeddings::TimestepEmbedding;
pub use linear::Linear;
pub use maps::{AttentionMaps, Context, Recorder};
pub use norm::{GroupNorm, LayerNorm, Norm};
pub use resampling::{Downsample2d, Upsample2d, conv};
pub use resnet::{ResnetBlock2d, ResnetConfig, TimeNorm};
pub use silu::silu;
pub use transformer::{FeedForward, Transformer2d, Transformer2dConfig};
