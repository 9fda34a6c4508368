//! The variational autoencoder of latent diffusion (Kingma & Welling 2014, arXiv 1312.6114; Rombach et al. 2022, arXiv
//! 2112.10752): diffusers' `AutoencoderKL`.

mod config;
mod load;

pub use config::AutoencoderKlConfig;

use crate::models::autoencoder::{Decoder, Encoder};
use crate::nn::{Conv2d, conv};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

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

impl Gaussian {
    /// That of the [moments](AutoencoderKl::moments) of pictures.
    pub fn of(moments: Tensor<4>) -> Self {
        let [mean, logvar] = moments.chunk(2, 1).try_into().expect("two halves of an even width");
        // The range in which diffusers takes its exponential.
        Self { mean, logvar: logvar.clamp(-30.0, 20.0) }
    }
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

    /// The same, which leaves the statistics of latents to pipelines that use them.
    #[must_use]
    pub fn without_statistics(mut self) -> Self {
        self.config.statistics = None;
        self
    }

    /// What says the distribution of the latents of pictures, not yet scaled: their means, and then the logarithms of their
    /// variances.
    ///
    /// # Shapes
    /// `x` `[batch, in_channels, height, width]`; the result is `[batch, 2 latent_channels, height / factor, width / factor]`.
    pub fn moments(&self, x: Tensor<4>) -> Tensor<4> {
        let moments = self.encoder.forward(x);
        match &self.quant_conv {
            Some(conv) => conv.forward(moments),
            None => moments,
        }
    }

    /// The distribution of the latents of pictures, not yet scaled.
    pub fn encode(&self, x: Tensor<4>) -> Gaussian {
        Gaussian::of(self.moments(x))
    }

    /// Latents as the denoiser has them, of the encoder's own.
    pub fn scaled(&self, z: Tensor<4>) -> Tensor<4> {
        let factor = self.config.coder.scaling_factor;
        match self.statistics(&z) {
            Some([mean, std]) => (z - mean) * factor / std,
            None => z * factor,
        }
    }

    /// The inverse of [`scaled`](Self::scaled).
    pub fn unscaled(&self, z: Tensor<4>) -> Tensor<4> {
        let factor = self.config.coder.scaling_factor;
        match self.statistics(&z) {
            Some([mean, std]) => z * std / factor + mean,
            None => z / factor,
        }
    }

    /// Mean and standard deviation of each channel of `like`.
    fn statistics(&self, like: &Tensor<4>) -> Option<[Tensor<4>; 2]> {
        let of = |values: Vec<f32>| {
            let shape = [1, values.len(), 1, 1];
            Tensor::from_data(TensorData::new(values, shape), &like.device())
        };
        self.config.statistics.clone().map(|both| both.map(of))
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
