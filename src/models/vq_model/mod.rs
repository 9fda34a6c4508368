//! The autoencoder with a codebook (van den Oord et al. 2017, arXiv 1711.00937; Esser et al. 2021, arXiv 2012.09841):
//! diffusers' `VQModel`.

mod config;
mod load;

pub use config::VqModelConfig;

use crate::models::autoencoder::{Decoder, Encoder};
use crate::nn::{Conv2d, conv};
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor};

/// Latents are brought to the nearest vectors of a codebook before they are decoded.
#[derive(Module, Debug)]
pub struct VqModel {
    encoder: Encoder,
    quant_conv: Conv2d,
    quantize: VectorQuantizer,
    post_quant_conv: Conv2d,
    decoder: Decoder,
    #[module(skip)]
    config: VqModelConfig,
}

impl VqModel {
    /// A network with random weights.
    pub fn new(config: &VqModelConfig, device: &Device) -> Self {
        let (latent, width) = (config.coder.latent_channels, config.vq_embed_dim);
        Self {
            encoder: Encoder::new(&config.coder, latent, device),
            quant_conv: conv([latent, width], 1, device),
            quantize: VectorQuantizer { embedding: EmbeddingConfig::new(config.num_vq_embeddings, width).init(device) },
            post_quant_conv: conv([width, latent], 1, device),
            decoder: Decoder::new(&config.coder, device),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &VqModelConfig {
        &self.config
    }

    /// The latents of pictures, neither scaled nor quantised.
    ///
    /// # Shapes
    /// `[batch, in_channels, height, width]` to `[batch, vq_embed_dim, height / factor, width / factor]`.
    pub fn encode(&self, x: Tensor<4>) -> Tensor<4> {
        self.quant_conv.forward(self.encoder.forward(x))
    }

    /// The nearest vector of the codebook at every place, and its number.
    ///
    /// # Shapes
    /// `z` `[batch, vq_embed_dim, height, width]`, kept; the numbers are `[batch, height, width]`.
    pub fn quantize(&self, z: Tensor<4>) -> (Tensor<4>, Tensor<3, Int>) {
        let [batch, width, height, columns] = z.dims();
        let codebook = self.quantize.embedding.weight.val();
        let points = z.permute([0, 2, 3, 1]).reshape([-1, width as i32]);
        // The square of the distance, less the point's own, which is the same for every vector of the codebook.
        let squares = codebook.clone().square().sum_dim(1).transpose();
        let distances = squares - points.matmul(codebook.transpose()) * 2.0;
        let numbers = distances.argmin(1).reshape([batch, height * columns]);
        let nearest = self.quantize.embedding.forward(numbers.clone()).reshape([batch, height, columns, width]);
        (nearest.permute([0, 3, 1, 2]), numbers.reshape([batch, height, columns]))
    }

    /// The pictures of latents that are no longer scaled; they are quantised first.
    ///
    /// # Shapes
    /// `[batch, vq_embed_dim, height, width]` to `[batch, out_channels, factor height, factor width]`.
    pub fn decode(&self, z: Tensor<4>) -> Tensor<4> {
        let (nearest, _) = self.quantize(z);
        self.decoder.forward(self.post_quant_conv.forward(nearest))
    }
}

/// The codebook.
#[derive(Module, Debug)]
struct VectorQuantizer {
    embedding: Embedding,
}
