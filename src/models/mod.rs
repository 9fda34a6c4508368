//! Floor 3: networks, their weights, and the denoisers made of them.

mod autoencoder;
pub mod autoencoder_kl;
mod blocks;
mod card;
pub mod classifier;
pub mod clip_text;
pub mod dit;
pub mod folder;
mod keys;
mod legacy;
mod load;
pub mod mlp;
mod network;
mod pretrained;
mod self_test;
pub mod unet2d;
pub mod unet2d_condition;
pub mod vq_model;
mod weights;

pub use autoencoder::CoderConfig;
pub use card::{Card, Text};
pub use keys::ConfigError;
pub use load::PartError;
pub use network::{NetworkBranches, NetworkDenoiser};
pub use pretrained::{LoadError, ModelFiles, Pretrained};
pub use self_test::{SelfTest, SelfTestError, self_test};
pub use weights::{SaveError, WeightsError, save, values};
