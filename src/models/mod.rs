//! Floor 3: networks, their weights, and the denoisers made of them.

mod blocks;
pub mod classifier;
pub mod mlp;
mod network;
mod pretrained;
mod self_test;
mod silu;
pub mod unet2d;
mod weights;

pub use network::{NetworkBranches, NetworkDenoiser};
#[cfg(not(target_family = "wasm"))]
pub use pretrained::WEIGHTS;
pub use pretrained::{Card, LoadError, ModelFiles, Pretrained, Text};
pub use self_test::{SelfTest, SelfTestError, self_test};
pub use weights::{SaveError, WeightsError, save, values};
