//! Floor 3: networks and their weights.

mod autoencoder;
pub mod autoencoder_kl;
pub mod autoencoder_tiny;
mod card;
pub mod classifier;
pub mod clip_text;
pub mod dit;
pub mod folder;
pub mod judge;
mod keys;
mod legacy;
mod load;
pub mod mlp;
mod self_test;
mod source;
pub mod unet2d;
pub mod unet2d_condition;
pub mod vq_model;
mod weights;

pub use autoencoder::CoderConfig;
pub use card::{Card, CardError, Prompts, Text};
pub use keys::ConfigError;
pub use legacy::scheduler_config as legacy_scheduler_config;
pub use load::{LoadError, PartError};
pub use self_test::{SelfTest, SelfTestError, self_test};
pub use source::{Memory, Source};
pub use weights::{
    Answer, Plan, Ranges, SaveError, Tensors, Wanted, WeightFiles, WeightsError, own_name, save, values,
};
