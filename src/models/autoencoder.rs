//! What autoencoders share: diffusers' `Encoder` and `Decoder` (Rombach et al. 2022, arXiv 2112.10752, appendix E.2).

use super::keys::{ConfigError, Keys};
use crate::nn::{
    Activation, Conv2d, Downsample2d, GroupNorm, Norm, ResnetBlock2d, ResnetConfig, SpatialAttention,
    SpatialAttentionConfig, TimeNorm, Upsample2d, conv,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde_json::{Value, json};

/// Added to every variance.
const EPS: f64 = 1e-6;

/// The part of an autoencoder's configuration that its encoder and decoder are built from.
#[derive(Clone, Debug, PartialEq)]
pub struct CoderConfig {
    /// The height that it was trained at, which binds no one; large pictures go through it in tiles of this size.
    pub sample_size: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    pub latent_channels: usize,
    /// Channels of each level, from the picture's size down.
    pub block_out_channels: Vec<usize>,
    pub layers_per_block: usize,
    pub act_fn: Activation,
    pub norm_num_groups: usize,
    pub mid_block_add_attention: bool,
    /// What latents are multiplied by between the encoder and the denoiser.
    pub scaling_factor: f64,
}

impl CoderConfig {
    /// Takes its keys; those that are absent have diffusers' defaults, of which `latent_channels` differs by class.
    pub(super) fn take(k: &mut Keys, latent_channels: usize) -> Result<Self, ConfigError> {
        let block_out_channels =
            k.take("block_out_channels", json!([64]), "a list of 1 to 8 numbers from 1 to 4096", |c: &Vec<usize>| {
                (1..=8).contains(&c.len()) && c.iter().all(|c| (1..=4096).contains(c))
            })?;
        let levels = block_out_channels.len();
        for (key, kind) in [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")] {
            let supported = format!("{kind:?} for each of block_out_channels");
            k.take(key, json!([kind]), &supported, |list: &Vec<String>| {
                list.len() == levels && list.iter().all(|t| t == kind)
            })?;
        }
        let sample_size: Value =
            k.take("sample_size", 32, "a size, or a height and a width", |v: &Value| v.is_u64() || v.is_array())?;
        let sample_size = sample_size.get(0).unwrap_or(&sample_size).as_u64().unwrap_or(32) as usize;
        // The precision is the backend's own.
        k.flag("force_upcast", true)?;
        Ok(Self {
            sample_size,
            in_channels: k.count("in_channels", 3, 64)?,
            out_channels: k.count("out_channels", 3, 64)?,
            latent_channels: k.count("latent_channels", latent_channels, 256)?,
            layers_per_block: k.count("layers_per_block", 1, 16)?,
            act_fn: k.activation("act_fn", "silu")?,
            norm_num_groups: k.take(
                "norm_num_groups",
                32,
                "a number that divides the channels of every level",
                |&g: &usize| g > 0 && block_out_channels.iter().all(|c| c.is_multiple_of(g)),
            )?,
            mid_block_add_attention: k.flag("mid_block_add_attention", true)?,
            scaling_factor: k.take("scaling_factor", json!(0.18215), "a number above 0", |v| *v > 0.0)?,
            block_out_channels,
        })
    }

    /// How many pixels a latent is wide and high.
    pub fn factor(&self) -> usize {
        1 << (self.block_out_channels.len() - 1)
    }

    fn norm(&self) -> Norm {
        Norm { groups: self.norm_num_groups, eps: EPS }
    }

    fn resnet(&self, channels: [usize; 2], device: &Device) -> ResnetBlock2d {
        let config = ResnetConfig {
            groups: [self.norm_num_groups; 2],
            eps: EPS,
            activation: self.act_fn,
            embedding: None,
            time_norm: TimeNorm::Default,
            output_scale_factor: 1.0,
            resampling: None,
        };
        ResnetBlock2d::new(channels, &config, device)
    }

    /// Input and output channels of each level, in the order of `channels`.
    fn levels(channels: &[usize]) -> impl Iterator<Item = [usize; 2]> {
        (0..channels.len()).map(|i| [channels[i.saturating_sub(1)], channels[i]])
    }
}

/// From pictures to latents, or to what is made of them.
#[derive(Module, Debug)]
pub struct Encoder {
    conv_in: Conv2d,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Encoder {
    /// One with random weights that gives `outputs` channels.
    pub fn new(config: &CoderConfig, outputs: usize, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, last, levels) = (channels[0], channels[channels.len() - 1], channels.len());
        let down = |(i, [inputs, outputs]): (usize, [usize; 2])| DownBlock {
            resnets: (0..config.layers_per_block)
                .map(|layer| config.resnet([if layer == 0 { inputs } else { outputs }, outputs], device))
                .collect(),
            downsamplers: (i + 1 < levels).then(|| Downsample2d::new(outputs, 0, device)).into_iter().collect(),
        };
        Self {
            conv_in: conv([config.in_channels, first], 3, device),
            down_blocks: CoderConfig::levels(channels).enumerate().map(down).collect(),
            mid_block: MidBlock::new(config, last, device),
            conv_norm_out: GroupNorm::new(last, config.norm(), device),
            conv_out: conv([last, outputs], 3, device),
        }
    }

    /// # Shapes
    /// `[batch, in_channels, height, width]` to `[batch, outputs, height / factor, width / factor]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.conv_in.forward(x);
        for block in &self.down_blocks {
            for resnet in &block.resnets {
                x = resnet.forward(x, None);
            }
            for downsampler in &block.downsamplers {
                x = downsampler.forward(x);
            }
        }
        let x = self.mid_block.forward(x);
        self.conv_out.forward(self.conv_norm_out.activated(x, None, Activation::Silu))
    }
}

/// From latents to pictures.
#[derive(Module, Debug)]
pub struct Decoder {
    conv_in: Conv2d,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    /// One with random weights.
    pub fn new(config: &CoderConfig, device: &Device) -> Self {
        let channels: Vec<usize> = config.block_out_channels.iter().rev().copied().collect();
        let (first, last, levels) = (channels[0], channels[channels.len() - 1], channels.len());
        let up = |(i, [inputs, outputs]): (usize, [usize; 2])| UpBlock {
            resnets: (0..=config.layers_per_block)
                .map(|layer| config.resnet([if layer == 0 { inputs } else { outputs }, outputs], device))
                .collect(),
            upsamplers: (i + 1 < levels).then(|| Upsample2d::new(outputs, device)).into_iter().collect(),
        };
        Self {
            conv_in: conv([config.latent_channels, first], 3, device),
            mid_block: MidBlock::new(config, first, device),
            up_blocks: CoderConfig::levels(&channels).enumerate().map(up).collect(),
            conv_norm_out: GroupNorm::new(last, config.norm(), device),
            conv_out: conv([last, config.out_channels], 3, device),
        }
    }

    /// # Shapes
    /// `[batch, latent_channels, height, width]` to `[batch, out_channels, factor height, factor width]`.
    pub fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        let mut x = self.mid_block.forward(self.conv_in.forward(z));
        for block in &self.up_blocks {
            for resnet in &block.resnets {
                x = resnet.forward(x, None);
            }
            for upsampler in &block.upsamplers {
                let [_, _, height, width] = x.dims();
                x = upsampler.forward(x, [2 * height, 2 * width]);
            }
        }
        self.conv_out.forward(self.conv_norm_out.activated(x, None, Activation::Silu))
    }
}

/// diffusers' `DownEncoderBlock2D`; the last has no `downsamplers`.
#[derive(Module, Debug)]
struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    downsamplers: Vec<Downsample2d>,
}

/// diffusers' `UpDecoderBlock2D`; the last has no `upsamplers`.
#[derive(Module, Debug)]
struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    upsamplers: Vec<Upsample2d>,
}

/// Two residual blocks around an attention of one head.
#[derive(Module, Debug)]
struct MidBlock {
    resnets: [ResnetBlock2d; 2],
    attentions: Vec<SpatialAttention>,
}

impl MidBlock {
    fn new(config: &CoderConfig, channels: usize, device: &Device) -> Self {
        let attention = SpatialAttentionConfig { head_dim: None, norm: Some(config.norm()), output_scale_factor: 1.0 };
        let attention = || SpatialAttention::new(channels, &attention, device);
        Self {
            resnets: [(); 2].map(|()| config.resnet([channels, channels], device)),
            attentions: config.mid_block_add_attention.then(attention).into_iter().collect(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [first, second] = &self.resnets;
        let mut x = first.forward(x, None);
        for attention in &self.attentions {
            x = attention.forward(x);
        }
        second.forward(x, None)
    }
}
