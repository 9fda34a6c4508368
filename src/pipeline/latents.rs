//! Between the space that a network draws in and pictures.

use crate::models::CoderConfig;
use crate::models::autoencoder_kl::AutoencoderKl;
use crate::models::vq_model::VqModel;
use burn::tensor::Tensor;

/// What a pipeline's network draws.
#[derive(Debug)]
pub enum Latents {
    /// Pictures themselves.
    Pixels,
    /// Latents of a variational autoencoder.
    Kl(Box<AutoencoderKl>),
    /// Latents of an autoencoder with a codebook.
    Vq(Box<VqModel>),
}

impl Latents {
    /// The pictures of what was drawn, whose values lie within -1 and 1 but for errors.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, 3, factor height, factor width]`.
    pub fn decode(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Pixels => x,
            Self::Kl(net) => {
                let config = net.config();
                net.decode(x / config.coder.scaling_factor + config.shift_factor)
            }
            Self::Vq(net) => net.decode(x / net.config().coder.scaling_factor),
        }
    }

    /// What would be drawn of pictures: the inverse of [`decode`](Self::decode), but for what the autoencoder loses. Of a
    /// distribution it is the mean.
    ///
    /// # Shapes
    /// `[batch, 3, factor height, factor width]` to `[batch, channels, height, width]`.
    pub fn encode(&self, pictures: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Pixels => pictures,
            Self::Kl(net) => {
                let config = net.config();
                (net.encode(pictures).mean - config.shift_factor) * config.coder.scaling_factor
            }
            Self::Vq(net) => net.encode(pictures) * net.config().coder.scaling_factor,
        }
    }

    /// How many pixels of the picture a place is wide and high.
    pub fn factor(&self) -> usize {
        self.coder().map_or(1, CoderConfig::factor)
    }

    /// Channels of a latent; `None` for pictures.
    pub fn channels(&self) -> Option<usize> {
        match self {
            Self::Vq(net) => Some(net.config().vq_embed_dim),
            _ => self.coder().map(|coder| coder.latent_channels),
        }
    }

    /// Channels of the pictures of latents.
    pub fn picture_channels(&self) -> Option<usize> {
        self.coder().map(|coder| coder.out_channels)
    }

    fn coder(&self) -> Option<&CoderConfig> {
        match self {
            Self::Pixels => None,
            Self::Kl(net) => Some(&net.config().coder),
            Self::Vq(net) => Some(&net.config().coder),
        }
    }
}
