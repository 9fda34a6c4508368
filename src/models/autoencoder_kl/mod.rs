//! The variational autoencoder of latent diffusion (Kingma & Welling 2014, arXiv 1312.6114; Rombach et al. 2022, arXiv
//! 2112.10752): diffusers' `AutoencoderKL`.

mod config;
mod load;

pub use config::AutoencoderKlConfig;

use crate::models::autoencoder::{Decoder, Encoder};
use crate::nn::{Conv2d, conv};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Latents are Gaussian, and pictures are decoded from them.
#[derive(Module, Debug)]
pub struct AutoencoderKl {
    encoder: Encoder,
    decoder: Decoder,
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
    #[module(skip)]
    config: AutoencoderKlConfig,
}

/// The distribution of a picture's latents, independent at every place.
#[derive(Clone, Debug)]
pub struct Gaussian {
    pub mean: Tensor<4>,
    /// Logarithm of the variance.
    pub logvar: Tensor<4>,
}

impl AutoencoderKl {
    /// A network with random weights.
    pub fn new(config: &AutoencoderKlConfig, device: &Device) -> Self {
        let latent = config.coder.latent_channels;
        let pointwise = |channels| conv([channels, channels], 1, device);
        Self {
            encoder: Encoder::new(&config.coder, 2 * latent, device),
            decoder: Decoder::new(&config.coder, device),
            quant_conv: config.use_quant_conv.then(|| pointwise(2 * latent)),
            post_quant_conv: config.use_post_quant_conv.then(|| pointwise(latent)),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &AutoencoderKlConfig {
        &self.config
    }

    /// The distribution of the latents of pictures, not yet scaled.
    ///
    /// # Shapes
    /// `x` `[batch, in_channels, height, width]`; the mean and the logarithm of the variance are
    /// `[batch, latent_channels, height / factor, width / factor]`.
    pub fn encode(&self, x: Tensor<4>) -> Gaussian {
        let moments = self.encoder.forward(x);
        let moments = match &self.quant_conv {
            Some(conv) => conv.forward(moments),
            None => moments,
        };
        let [mean, logvar] = moments.chunk(2, 1).try_into().expect("two halves of an even width");
        // The range in which diffusers takes its exponential.
        Gaussian { mean, logvar: logvar.clamp(-30.0, 20.0) }
    }

    /// The pictures of latents that are no longer scaled.
    ///
    /// # Shapes
    /// `[batch, latent_channels, height, width]` to `[batch, out_channels, factor height, factor width]`.
    pub fn decode(&self, z: Tensor<4>) -> Tensor<4> {
        self.decoder.forward(match &self.post_quant_conv {
            Some(conv) => conv.forward(z),
            None => z,
        })
    }
}
