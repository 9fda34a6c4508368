//! The small autoencoder that was distilled from a large one (TAESD, Bohan 2023, github.com/madebyollin/taesd): diffusers'
//! `AutoencoderTiny`.

mod config;
mod load;

pub use config::AutoencoderTinyConfig;

use crate::nn::{Activation, Conv2d, Conv2dConfig, conv};
use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

/// Plain convolutions both ways; pictures are of 0 to 1 inside.
#[derive(Module, Debug)]
pub struct AutoencoderTiny {
    encoder: Coder,
    decoder: Coder,
    #[module(skip)]
    config: AutoencoderTinyConfig,
}

impl AutoencoderTiny {
    /// A network with random weights.
    pub fn new(config: &AutoencoderTinyConfig, device: &Device) -> Self {
        let block = |channels| Layer::Block(Block::new(channels, config.act_fn, device));
        let mut encoder = Vec::new();
        for (i, (&channels, &blocks)) in
            config.encoder_block_out_channels.iter().zip(&config.num_encoder_blocks).enumerate()
        {
            encoder.push(Layer::Conv(match i {
                0 => conv([config.in_channels, channels], 3, device),
                _ => plain(channels, [2, 2], device),
            }));
            encoder.extend((0..blocks).map(|_| block(channels)));
        }
        let last = config.encoder_block_out_channels[config.encoder_block_out_channels.len() - 1];
        encoder.push(Layer::Conv(conv([last, config.latent_channels], 3, device)));

        let (channels, levels) = (config.decoder_block_out_channels[0], config.decoder_block_out_channels.len());
        let first = Layer::Conv(conv([config.latent_channels, channels], 3, device));
        let mut decoder = vec![first, Layer::Activation(Activated { activation: config.act_fn })];
        for (i, (&channels, &blocks)) in
            config.decoder_block_out_channels.iter().zip(&config.num_decoder_blocks).enumerate()
        {
            decoder.extend((0..blocks).map(|_| block(channels)));
            if i + 1 < levels {
                decoder.extend([Layer::Upsample(Upsample {}), Layer::Conv(plain(channels, [1, 1], device))]);
            } else {
                decoder.push(Layer::Conv(conv([channels, config.out_channels], 3, device)));
            }
        }
        Self { encoder: Coder { layers: encoder }, decoder: Coder { layers: decoder }, config: config.clone() }
    }

    /// What the network was built from.
    pub fn config(&self) -> &AutoencoderTinyConfig {
        &self.config
    }

    /// The latents of pictures, not yet scaled.
    ///
    /// # Shapes
    /// `[batch, in_channels, height, width]` to `[batch, latent_channels, height / factor, width / factor]`.
    pub fn encode(&self, x: Tensor<4>) -> Tensor<4> {
        self.encoder.forward((x + 1.0) / 2.0)
    }

    /// The pictures of latents that are no longer scaled.
    ///
    /// # Shapes
    /// `[batch, latent_channels, height, width]` to `[batch, out_channels, factor height, factor width]`.
    pub fn decode(&self, z: Tensor<4>) -> Tensor<4> {
        // The range of latents that the large autoencoder gives.
        const MOST: f64 = 3.0;
        self.decoder.forward((z / MOST).tanh() * MOST) * 2.0 - 1.0
    }
}

/// A convolution without bias that keeps the size or, with stride 2, halves it.
fn plain(channels: usize, stride: [usize; 2], device: &Device) -> Conv2d {
    Conv2dConfig { stride, bias: false, ..Conv2dConfig::same([channels, channels], 3) }.init(device)
}

/// One layer after another.
#[derive(Module, Debug)]
struct Coder {
    layers: Vec<Layer>,
}

impl Coder {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| match layer {
            Layer::Conv(conv) => conv.forward(x),
            Layer::Block(block) => block.forward(x),
            Layer::Activation(Activated { activation }) => activation.apply(x),
            Layer::Upsample(Upsample {}) => {
                let [_, _, height, width] = x.dims();
                let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
                interpolate(x, nearest.with_output_size([2 * height, 2 * width]))
            }
        })
    }
}

#[allow(clippy::large_enum_variant, reason = "there are few of them, and their weights are elsewhere")]
#[derive(Module, Debug)]
enum Layer {
    Conv(Conv2d),
    Block(Block),
    Activation(Activated),
    Upsample(Upsample),
}

#[derive(Module, Debug)]
struct Activated {
    #[module(skip)]
    activation: Activation,
}

#[derive(Module, Debug)]
struct Upsample {}

/// diffusers' `AutoencoderTinyBlock`: three convolutions beside the input.
#[derive(Module, Debug)]
struct Block {
    // The places between the convolutions are those of their activations.
    conv: (Conv2d, Activated, Conv2d, Activated, Conv2d),
}

impl Block {
    fn new(channels: usize, activation: Activation, device: &Device) -> Self {
        let conv = || conv([channels, channels], 3, device);
        Self { conv: (conv(), Activated { activation }, conv(), Activated { activation }, conv()) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (first, Activated { activation }, second, _, third) = &self.conv;
        let h = activation.apply(first.forward(x.clone()));
        let h = activation.apply(second.forward(h));
        relu(third.forward(h) + x)
    }
}
