//! The U-Net of text-to-image latent diffusion (Rombach et al. 2022, arXiv 2112.10752), as diffusers'
//! `UNet2DConditionModel` builds it.

mod blocks;
mod config;
mod load;

pub use config::{Addition, Unet2dConditionConfig};

use crate::models::blocks::sinusoidal_embedding;
use crate::nn::{Activation, Context, GroupNorm, Norm, Recorder, TimestepEmbedding, conv};
use blocks::{DownBlock, MidBlock, Stage, UpBlock};
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A network that tells noise from latents, given the time and a text.
#[derive(Module, Debug)]
pub struct Unet2dCondition {
    conv_in: Conv2d,
    time_embedding: TimestepEmbedding,
    class_embedding: Option<Embedding>,
    add_embedding: Option<TimestepEmbedding>,
    down_blocks: Vec<DownBlock>,
    mid_block: Option<MidBlock>,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    #[module(skip)]
    config: Unet2dConditionConfig,
}

/// What the network is conditioned on besides the time.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The states of the text: `[batch, positions, cross_attention_dim]`.
    pub text: Tensor<3>,
    /// Row of the class embedding for each image, where the configuration has one.
    pub class: Option<Vec<usize>>,
    /// Where the configuration has [`Addition`].
    pub added: Option<Added>,
    /// The embedding of the guidance scale, where the configuration has `time_cond_proj_dim`: `[batch, its width]`.
    pub guidance: Option<Tensor<2>>,
}

/// What SDXL is conditioned on.
#[derive(Clone, Debug)]
pub struct Added {
    /// The pooled text: `[batch, width]`.
    pub text: Tensor<2>,
    /// For each image the original size, the corner of the crop and the size to arrive at, each height first.
    pub sizes: Vec<[f64; 6]>,
}

impl Unet2dCondition {
    /// A network with random weights.
    pub fn new(config: &Unet2dConditionConfig, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, levels) = (channels[0], channels.len());
        let stage = Stage { config, device };
        let down = |i: usize| {
            let inputs = if i == 0 { first } else { channels[i - 1] };
            DownBlock::new(&stage, i, [inputs, channels[i]], i + 1 < levels)
        };
        let up = |i: usize| {
            // Joined channels: what comes from below, and what each level of the way down passed across.
            let level = levels - 1 - i;
            let below = channels.get(level + 1).copied().unwrap_or(channels[levels - 1]);
            let across = if level == 0 { first } else { channels[level - 1] };
            UpBlock::new(&stage, level, [below, across, channels[level]], level > 0)
        };
        let width = config.time_embedding_dim;
        let norm = Norm { groups: config.norm_num_groups, eps: config.norm_eps };
        Self {
            conv_in: conv([config.in_channels, first], config.conv_in_kernel, device),
            time_embedding: TimestepEmbedding::new(first, width, config.time_cond_proj_dim, config.act_fn, device),
            class_embedding: config.num_class_embeds.map(|n| EmbeddingConfig::new(n, width).init(device)),
            add_embedding: (config.addition)
                .map(|add| TimestepEmbedding::new(add.input_dim, width, None, Activation::Silu, device)),
            down_blocks: (0..levels).map(down).collect(),
            mid_block: config.mid_block.then(|| MidBlock::new(&stage)),
            up_blocks: (0..levels).map(up).collect(),
            conv_norm_out: GroupNorm::new(first, norm, device),
            conv_out: conv([first, config.out_channels], config.conv_out_kernel, device),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &Unet2dConditionConfig {
        &self.config
    }

    /// The network's output for latents at the network's own times, one an image.
    ///
    /// # Shapes
    /// `x` `[batch, in_channels, height, width]`, `t` `[batch]`; the result is `[batch, out_channels, height, width]`.
    pub fn forward(&self, x: Tensor<4>, t: &[f64], condition: &Condition) -> Tensor<4> {
        self.forward_recorded(x, t, condition, None)
    }

    /// The same, with a recorder of where its attention to the text looks.
    pub fn forward_recorded(
        &self,
        x: Tensor<4>,
        t: &[f64],
        condition: &Condition,
        recorder: Option<&Recorder<'_>>,
    ) -> Tensor<4> {
        let (device, config) = (x.device(), &self.config);
        let text = Context { states: &condition.text, recorder };
        let sinusoids = |values: &[f64], dim: usize| {
            let table = sinusoidal_embedding(values, dim, config.flip_sin_to_cos, config.freq_shift);
            Tensor::<2>::from_data(TensorData::new(table, [values.len(), dim]), &device)
        };
        let time = sinusoids(t, config.block_out_channels[0]);
        let mut emb = self.time_embedding.forward(time, condition.guidance.clone());
        if let (Some(embedding), Some(class)) = (&self.class_embedding, &condition.class) {
            let class = class.iter().map(|&c| c as i32).collect();
            let rows = Tensor::<2, Int>::from_data(TensorData::new(class, [t.len(), 1]), &device);
            emb = emb + embedding.forward(rows).squeeze_dim(1);
        }
        if let (Some(embedding), Some(addition), Some(added)) = (&self.add_embedding, config.addition, &condition.added)
        {
            let sizes = sinusoids(&added.sizes.concat(), addition.time_embed_dim).reshape([t.len() as i32, -1]);
            emb = emb + embedding.forward(Tensor::cat(vec![added.text.clone(), sizes], 1), None);
        }
        if let Some(activation) = config.time_embedding_act_fn {
            emb = activation.apply(emb);
        }
        let emb = config.act_fn.apply(emb);

        let x = if config.center_input_sample { x * 2.0 - 1.0 } else { x };
        let mut x = self.conv_in.forward(x);
        let mut across = vec![x.clone()];
        for block in &self.down_blocks {
            x = block.forward(x, &emb, text, &mut across);
        }
        if let Some(block) = &self.mid_block {
            x = block.forward(x, &emb, text);
        }
        for block in &self.up_blocks {
            x = block.forward(x, &emb, text, &mut across);
        }
        self.conv_out.forward(config.act_fn.apply(self.conv_norm_out.forward(x)))
    }
}
