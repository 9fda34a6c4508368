//! Floor 3: networks, their weights, and the denoisers made of them.

mod blocks;
mod card;
pub mod classifier;
pub mod folder;
mod legacy;
pub mod mlp;
mod network;
mod pretrained;
mod self_test;
mod silu;
pub mod unet2d;
mod weights;

pub use card::{Card, Text};
pub use network::{NetworkBranches, NetworkDenoiser};
pub use pretrained::{LoadError, ModelFiles, Pretrained};
pub use self_test::{SelfTest, SelfTestError, self_test};
pub use weights::{SaveError, WeightsError, save, values};
