//! Floor 4: a folder of weights in the layout of diffusers, made runnable.

#[cfg(feature = "nn")]
mod branches;
#[cfg(feature = "nn")]
mod conditioning;
#[cfg(feature = "nn")]
mod encodings;
#[cfg(feature = "nn")]
mod error;
#[cfg(feature = "nn")]
mod folder;
#[cfg(feature = "nn")]
pub mod index;
#[cfg(feature = "nn")]
mod kinds;
#[cfg(feature = "nn")]
mod latents;
#[cfg(feature = "nn")]
mod network;
#[cfg(feature = "nn")]
mod open;
#[cfg(feature = "nn")]
mod parts;
#[cfg(feature = "nn")]
mod preview;
#[cfg(feature = "nn")]
mod scheduler;
pub mod text;
#[cfg(feature = "nn")]
mod tiles;

#[cfg(feature = "nn")]
pub(crate) use self::preview::Preview;
#[cfg(feature = "nn")]
pub use self::{
    branches::{NetworkBranches, NetworkDenoiser},
    conditioning::{ClassRow, Condition, Conditioning, Conditions, TextEncoder, TextEncoders, Told},
    encodings::KEPT as TEXTS_KEPT,
    error::PipelineError,
    latents::Latents,
    network::Network,
    open::Pipeline,
    parts::{Needs, Part},
};
#[cfg(feature = "nn")]
pub use crate::models::{Memory, Source};
