//! The U-Net of Ho et al. 2020 (arXiv 2006.11239, appendix B), as diffusers' `UNet2DModel` builds it.

mod config;
mod load;

pub use config::{ConfigError, TimeEmbedding, Unet2dConfig};

use super::blocks::{Attention, GaussianFourierProjection, ResnetBlock2d, TimestepEmbedding, sinusoidal_embedding};
use crate::nn::{Downsample2d, GroupNorm, Norm, Upsample2d, conv, silu};
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Standard deviation of the frequencies of a Fourier embedding.
pub(crate) const FOURIER_SCALE: f64 = 16.0;

/// A network that predicts the noise of a picture, or what else it was trained for, given the time and, where it was trained with classes, a class.
#[derive(Module, Debug)]
pub struct Unet2d {
    conv_in: Conv2d,
    time_proj: Option<GaussianFourierProjection>,
    time_embedding: TimestepEmbedding,
    class_embedding: Option<Embedding>,
    down_blocks: Vec<DownBlock>,
    mid_block: Option<MidBlock>,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    #[module(skip)]
    config: Unet2dConfig,
}

impl Unet2d {
    /// A network with random weights.
    pub fn new(config: &Unet2dConfig, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let stage = Stage { config, device };
        let down = |i: usize| {
            let inputs = if i == 0 { first } else { channels[i - 1] };
            DownBlock::new(&stage, [inputs, channels[i]], config.down_attention[i], i + 1 < channels.len())
        };
        let up = |i: usize| {
            // Joined channels: what comes from below, and what each level of the way down passed across.
            let level = channels.len() - 1 - i;
            let below = channels.get(level + 1).copied().unwrap_or(last);
            let across = if level == 0 { first } else { channels[level - 1] };
            UpBlock::new(&stage, [below, across, channels[level]], config.up_attention[i], level > 0)
        };
        let fourier = config.time_embedding_type == TimeEmbedding::Fourier;
        let features = if fourier { 2 * first } else { first };
        Self {
            conv_in: conv([config.in_channels, first], 3, device),
            time_proj: fourier.then(|| GaussianFourierProjection::new(first, FOURIER_SCALE, device)),
            time_embedding: TimestepEmbedding::new(features, config.time_embedding_dim, device),
            class_embedding: (config.num_class_embeds)
                .map(|n| EmbeddingConfig::new(n, config.time_embedding_dim).init(device)),
            down_blocks: (0..channels.len()).map(down).collect(),
            mid_block: config.mid_block.then(|| MidBlock::new(&stage, last)),
            up_blocks: (0..channels.len()).map(up).collect(),
            conv_norm_out: GroupNorm::new(first, stage.norm(), device),
            conv_out: conv([first, config.out_channels], 3, device),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &Unet2dConfig {
        &self.config
    }

    /// The network's output for pictures `x` `[batch, in_channels, height, width]` at the network's own times `t`
    /// `[batch]`: `[batch, out_channels, height, width]`. `class` `[batch]` is given exactly where the configuration has
    /// class embeddings, each below their number. Height and width may be any that the levels can halve.
    pub fn forward(&self, x: Tensor<4>, t: &[f64], class: Option<&[usize]>) -> Tensor<4> {
        self.forward_conditioned(x, t, class, None)
    }

    /// The same, with a further condition that only training has: `condition` `[batch, time_embedding_dim]` is
    /// added to the conditioning vector.
    pub fn forward_conditioned(
        &self,
        x: Tensor<4>,
        t: &[f64],
        class: Option<&[usize]>,
        condition: Option<Tensor<2>>,
    ) -> Tensor<4> {
        let device = x.device();
        let config = &self.config;
        let features = match &self.time_proj {
            Some(projection) => projection.forward(t, &device),
            None => {
                let dim = config.block_out_channels[0];
                let sinusoids = sinusoidal_embedding(t, dim, config.flip_sin_to_cos, config.freq_shift);
                Tensor::from_data(TensorData::new(sinusoids, [t.len(), dim]), &device)
            }
        };
        let mut emb = self.time_embedding.forward(features);
        if let (Some(embedding), Some(class)) = (&self.class_embedding, class) {
            let class = class.iter().map(|&c| c as i32).collect();
            let rows = Tensor::<2, Int>::from_data(TensorData::new(class, [t.len(), 1]), &device);
            emb = emb + embedding.forward(rows).squeeze_dim(1);
        }
        if let Some(condition) = condition {
            emb = emb + condition;
        }
        let emb = silu(emb);

        let x = if config.center_input_sample { x * 2.0 - 1.0 } else { x };
        let mut x = self.conv_in.forward(x);
        let mut across = vec![x.clone()];
        for block in &self.down_blocks {
            x = block.forward(x, &emb, &mut across);
        }
        if let Some(block) = &self.mid_block {
            x = block.forward(x, &emb);
        }
        for block in &self.up_blocks {
            x = block.forward(x, &emb, &mut across);
        }
        let x = self.conv_out.forward(silu(self.conv_norm_out.forward(x)));
        match config.time_embedding_type {
            TimeEmbedding::Positional => x,
            TimeEmbedding::Fourier => {
                let each = TensorData::new(t.iter().map(|&t| t as f32).collect(), [t.len(), 1, 1, 1]);
                x / Tensor::<4>::from_data(each, &device)
            }
        }
    }
}

/// What every stage is built from.
struct Stage<'a> {
    config: &'a Unet2dConfig,
    device: &'a Device,
}

impl Stage<'_> {
    fn norm(&self) -> Norm {
        Norm { groups: self.config.norm_num_groups, eps: self.config.norm_eps }
    }

    fn resnet(&self, channels: [usize; 2]) -> ResnetBlock2d {
        ResnetBlock2d::new(channels, self.config.time_embedding_dim, self.norm(), self.device)
    }

    fn attention(&self, channels: usize, norm: Norm) -> Attention {
        Attention::new(channels, self.config.heads(channels), norm, self.device)
    }
}

/// One level on the way down. Levels without attention have no `attentions`, the last has no `downsamplers`.
#[derive(Module, Debug)]
struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<Attention>,
    downsamplers: Vec<Downsample2d>,
}

impl DownBlock {
    fn new(stage: &Stage, [inputs, outputs]: [usize; 2], attends: bool, downsamples: bool) -> Self {
        let layers = 0..stage.config.layers_per_block;
        let resnet = |i| stage.resnet([if i == 0 { inputs } else { outputs }, outputs]);
        let attentions = layers.clone().filter(|_| attends).map(|_| stage.attention(outputs, stage.norm()));
        Self {
            attentions: attentions.collect(),
            resnets: layers.map(resnet).collect(),
            downsamplers: (downsamples
                .then(|| Downsample2d::new(outputs, stage.config.downsample_padding, stage.device)))
            .into_iter()
            .collect(),
        }
    }

    /// Pushes every intermediate result onto `across`.
    fn forward(&self, mut x: Tensor<4>, emb: &Tensor<2>, across: &mut Vec<Tensor<4>>) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            x = resnet.forward(x, emb.clone());
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x);
            }
            across.push(x.clone());
        }
        for downsampler in &self.downsamplers {
            x = downsampler.forward(x);
            across.push(x.clone());
        }
        x
    }
}

/// The lowest level: two residual blocks around an attention.
#[derive(Module, Debug)]
struct MidBlock {
    resnets: [ResnetBlock2d; 2],
    attentions: Vec<Attention>,
    scale: f64,
}

impl MidBlock {
    fn new(stage: &Stage, channels: usize) -> Self {
        let norm = Norm { groups: stage.config.attn_norm_num_groups, ..stage.norm() };
        Self {
            resnets: [(); 2].map(|()| stage.resnet([channels, channels])),
            attentions: stage.config.add_attention.then(|| stage.attention(channels, norm)).into_iter().collect(),
            scale: stage.config.mid_block_scale_factor,
        }
    }

    fn forward(&self, x: Tensor<4>, emb: &Tensor<2>) -> Tensor<4> {
        let [first, second] = &self.resnets;
        let mut x = first.forward(x, emb.clone()) / self.scale;
        for attention in &self.attentions {
            x = attention.forward(x) / self.scale;
        }
        second.forward(x, emb.clone()) / self.scale
    }
}

/// One level on the way up. Levels without attention have no `attentions`, the last has no `upsamplers`.
#[derive(Module, Debug)]
struct UpBlock {
    resnets: Vec<ResnetBlock2d>,
    attentions: Vec<Attention>,
    upsamplers: Vec<Upsample2d>,
}

impl UpBlock {
    /// `below` channels come up from the level below. What joins from across has `outputs` channels, but `across` in the
    /// last layer, which gets what the level was handed on the way down.
    fn new(stage: &Stage, [below, across, outputs]: [usize; 3], attends: bool, upsamples: bool) -> Self {
        let last = stage.config.layers_per_block;
        let resnet = |i| {
            let inputs = if i == 0 { below } else { outputs };
            stage.resnet([inputs + if i == last { across } else { outputs }, outputs])
        };
        let attentions = (0..=last).filter(|_| attends).map(|_| stage.attention(outputs, stage.norm()));
        Self {
            resnets: (0..=last).map(resnet).collect(),
            attentions: attentions.collect(),
            upsamplers: upsamples.then(|| Upsample2d::new(outputs, stage.device)).into_iter().collect(),
        }
    }

    /// Pops what it joins off `across`.
    fn forward(&self, mut x: Tensor<4>, emb: &Tensor<2>, across: &mut Vec<Tensor<4>>) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            let joined = Tensor::cat([x].into_iter().chain(across.pop()).collect(), 1);
            x = resnet.forward(joined, emb.clone());
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x);
            }
        }
        for (upsampler, next) in self.upsamplers.iter().zip(across.last()) {
            let [_, _, height, width] = next.dims();
            x = upsampler.forward(x, [height, width]);
        }
        x
    }
}
