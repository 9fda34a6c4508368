//! Floor 3: the layers that networks are made of.
//!
//! Fields, parameters and layouts are named and ordered as in diffusers and torch, so that weights load unchanged.

mod activation;
mod attention;
mod conv;
#[cfg(feature = "cpu")]
mod cpu;
mod embeddings;
mod gelu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
mod levels;
mod linear;
mod maps;
mod norm;
mod resampling;
mod resnet;
mod scalar;
mod silu;
mod softmax;
mod spatial_attention;
mod transformer;

pub use activation::Activation;
pub use attention::{Attention, attend};
pub use conv::{Conv2d, Conv2dConfig};
pub use embeddings::{GaussianFourierProjection, TimestepEmbedding, sinusoidal_embedding};
pub use gelu::{gated_gelu, gelu};
pub use levels::{
    DownBlock, LevelAttention, LevelAttentionConfig, LevelConfig, MidBlock, Pass, Sampling, UpBlock, around, joined,
    joined_groups, skip_groups, ways,
};
pub use linear::Linear;
pub use maps::{AttentionMaps, Context, Recorder};
pub use norm::{GroupNorm, LayerNorm, Norm};
pub use resampling::{Downsample2d, Resampling, Upsample2d, conv};
pub use resnet::{ResnetBlock2d, ResnetConfig, TimeNorm};
pub use scalar::Scalar;
pub use silu::silu;
pub use softmax::softmax;
pub use spatial_attention::{SpatialAttention, SpatialAttentionConfig};
pub use transformer::{FeedForward, Transformer2d, Transformer2dConfig};
