//! The U-Net of text-to-image latent diffusion (Rombach et al. 2022, arXiv 2112.10752), as diffusers'
//! `UNet2DConditionModel` builds it.

mod config;
mod load;

pub use config::{Addition, MidBlockType, Unet2dConditionConfig};

use crate::nn::{
    Activation, Context, Conv2d, DownBlock, GroupNorm, LevelAttentionConfig, LevelConfig, MidBlock, Norm, Pass,
    Recorder, ResnetConfig, Sampling, TimestepEmbedding, Transformer2dConfig, UpBlock, conv, sinusoidal_embedding,
    ways,
};
use burn::module::Module;
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
        let (first, last) = (channels[0], channels.len() - 1);
        let down = |i: usize| {
            config.level(
                i,
                config.down_attention[i],
                config.layers_per_block[i],
                &config.transformer_layers_per_block[i],
            )
        };
        let up = |i: usize| {
            let layers = &config.reverse_transformer_layers_per_block[i];
            config.level(last - i, config.up_attention[i], config.layers_per_block[last - i], layers)
        };
        let (down_blocks, up_blocks) = ways(channels, down, up, device);
        let middle = config.mid_block.map(|kind| MidBlock::new(&config.middle(kind), channels[last], device));
        let width = config.time_embedding_dim;
        let norm = Norm { groups: config.norm_num_groups, eps: config.norm_eps };
        Self {
            conv_in: conv([config.in_channels, first], config.conv_in_kernel, device),
            time_embedding: TimestepEmbedding::new(first, width, config.time_cond_proj_dim, config.act_fn, device),
            class_embedding: config.num_class_embeds.map(|n| EmbeddingConfig::new(n, width).init(device)),
            add_embedding: (config.addition)
                .map(|add| TimestepEmbedding::new(add.input_dim, width, None, Activation::Silu, device)),
            down_blocks,
            mid_block: middle,
            up_blocks,
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
        let features = self.conv_in.forward(x);
        let mut pass = Pass { emb: &emb, text: Some(text), across: vec![features.clone()], beside: None };
        let mut x = self.down_blocks.iter().fold(features, |x, block| block.forward(x, &mut pass));
        if let Some(block) = &self.mid_block {
            x = block.forward(x, &pass);
        }
        x = self.up_blocks.iter().fold(x, |x, block| block.forward(x, &mut pass));
        self.conv_out.forward(self.conv_norm_out.activated(x, None, config.act_fn))
    }
}

impl Unet2dConditionConfig {
    /// A level whose layers have so many transformers each, if it attends.
    fn level(&self, level: usize, attends: bool, layers: usize, transformers: &[usize]) -> LevelConfig {
        let transformer = |layers: &usize| {
            LevelAttentionConfig::Text(Transformer2dConfig {
                heads: self.heads[level],
                layers: *layers,
                context: self.cross_attention_dim[level],
                groups: self.norm_num_groups,
                linear_projection: self.use_linear_projection,
                only_cross_attention: self.only_cross_attention[level],
            })
        };
        LevelConfig {
            layers,
            sampling: Sampling::Conv { padding: self.downsample_padding },
            resnet: ResnetConfig {
                groups: [self.norm_num_groups; 2],
                eps: self.norm_eps,
                activation: self.act_fn,
                embedding: Some(self.time_embedding_dim),
                time_norm: self.resnet_time_scale_shift,
                output_scale_factor: 1.0,
                resampling: None,
            },
            attentions: transformers.iter().filter(|_| attends).map(transformer).collect(),
        }
    }

    fn middle(&self, kind: MidBlockType) -> LevelConfig {
        let level = self.block_out_channels.len() - 1;
        let (layers, transformers) = match kind {
            MidBlockType::CrossAttention => (1, &self.transformer_layers_per_block[level][..1]),
            MidBlockType::Plain => (0, &[][..]),
        };
        // It looks at the picture, whatever the level does.
        let own = Self { only_cross_attention: vec![false; level + 1], ..self.clone() };
        let level = own.level(level, true, layers, transformers);
        let resnet = ResnetConfig { output_scale_factor: self.mid_block_scale_factor, ..level.resnet };
        LevelConfig { resnet, ..level }
    }
}
