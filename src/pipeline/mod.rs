//! Floor 4: a folder of weights in the layout of diffusers, made runnable.

#[cfg(feature = "nn")]
mod conditioning;
#[cfg(feature = "nn")]
mod draw;
#[cfg(feature = "nn")]
pub mod index;
#[cfg(feature = "nn")]
mod latents;
#[cfg(feature = "nn")]
mod network;
#[cfg(feature = "nn")]
mod open;
#[cfg(feature = "nn")]
mod scheduled;
#[cfg(feature = "nn")]
mod source;
pub mod text;

#[cfg(feature = "nn")]
pub use self::{
    conditioning::{Condition, Conditioned, Conditioning, TextEncoder},
    draw::{Conditions, DrawError, Drawing},
    latents::Latents,
    network::Network,
    open::{Pipeline, PipelineError},
    source::Source,
};
