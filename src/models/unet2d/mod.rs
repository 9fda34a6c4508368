//! The U-Net of Ho et al. 2020 (arXiv 2006.11239, appendix B), as diffusers' `UNet2DModel` builds it.

mod block_type;
mod config;
mod load;

pub use crate::models::keys::ConfigError;
pub use block_type::BlockType;
pub use config::{ClassEmbedding, TimeEmbedding, Unet2dConfig};

use crate::nn::Activation;
use crate::nn::{
    Conv2d, DownBlock, GaussianFourierProjection, GroupNorm, LevelAttentionConfig, LevelConfig, MidBlock, Norm, Pass,
    ResnetConfig, Sampling, SpatialAttentionConfig, TimestepEmbedding, UpBlock, conv, sinusoidal_embedding,
    skip_groups, ways,
};
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Standard deviation of the frequencies of a Fourier embedding.
pub(crate) const FOURIER_SCALE: f64 = 16.0;

/// A network that predicts the noise of a picture, or what else it was trained for, given the time and, where it was trained with classes, a class.
#[derive(Module, Debug)]
pub struct Unet2d {
    conv_in: Conv2d,
    time_proj: Option<TimeProjection>,
    time_embedding: TimestepEmbedding,
    class_embedding: Option<ClassProjection>,
    down_blocks: Vec<DownBlock>,
    mid_block: Option<MidBlock>,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    #[module(skip)]
    config: Unet2dConfig,
}

/// What the weights say of a time before its embedding.
#[derive(Module, Debug)]
enum TimeProjection {
    Fourier(GaussianFourierProjection),
    Rows(Embedding),
}

#[allow(clippy::large_enum_variant, reason = "there are few of them, and their weights are elsewhere")]
#[derive(Module, Debug)]
enum ClassProjection {
    Rows(Embedding),
    Timestep(TimestepEmbedding),
}

impl Unet2d {
    /// A network with random weights.
    pub fn new(config: &Unet2dConfig, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, last, width) = (channels[0], channels[channels.len() - 1], config.time_embedding_dim);
        let down = |i: usize| config.level(config.down_block_types[i]);
        let up = |i: usize| config.level(config.up_block_types[i]);
        let (down_blocks, up_blocks) = ways(channels, down, up, device);
        let time_proj = match (config.time_embedding_type, config.num_train_timesteps) {
            (TimeEmbedding::Fourier, _) => {
                Some(TimeProjection::Fourier(GaussianFourierProjection::new(first, FOURIER_SCALE, device)))
            }
            (TimeEmbedding::Learned, Some(rows)) => {
                Some(TimeProjection::Rows(EmbeddingConfig::new(rows, first).init(device)))
            }
            _ => None,
        };
        let features = if config.time_embedding_type == TimeEmbedding::Fourier { 2 * first } else { first };
        let embedding = || TimestepEmbedding::new(features, width, None, Activation::Silu, device);
        let class_embedding = match (config.class_embed_type, config.num_class_embeds) {
            (ClassEmbedding::Rows, Some(rows)) => {
                Some(ClassProjection::Rows(EmbeddingConfig::new(rows, width).init(device)))
            }
            (ClassEmbedding::Timestep, _) => Some(ClassProjection::Timestep(embedding())),
            _ => None,
        };
        let groups = config.norm_num_groups.unwrap_or(skip_groups(first));
        Self {
            conv_in: conv([config.in_channels, first], 3, device),
            time_proj,
            time_embedding: embedding(),
            class_embedding,
            down_blocks,
            mid_block: config.mid_block.then(|| MidBlock::new(&config.middle(), last, device)),
            up_blocks,
            conv_norm_out: GroupNorm::new(first, Norm { groups, eps: config.norm_eps }, device),
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

    /// The same, with a further condition: `condition` `[batch, time_embedding_dim]` is added to the conditioning vector.
    /// It is what a [`ClassEmbedding::Identity`] takes for a class, and training has others.
    pub fn forward_conditioned(
        &self,
        x: Tensor<4>,
        t: &[f64],
        class: Option<&[usize]>,
        condition: Option<Tensor<2>>,
    ) -> Tensor<4> {
        let device = x.device();
        let config = &self.config;
        let mut emb = self.time_embedding.forward(self.features(t, &device), None);
        if let (Some(embedding), Some(class)) = (&self.class_embedding, class) {
            emb = emb
                + match embedding {
                    ClassProjection::Rows(embedding) => rows(embedding, class, &device),
                    ClassProjection::Timestep(embedding) => {
                        let class: Vec<f64> = class.iter().map(|&class| class as f64).collect();
                        embedding.forward(self.features(&class, &device), None)
                    }
                };
        }
        if let Some(condition) = condition {
            emb = emb + condition;
        }
        let emb = config.act_fn.apply(emb);

        let x = if config.center_input_sample { x * 2.0 - 1.0 } else { x };
        let features = self.conv_in.forward(x.clone());
        let mut pass = Pass { emb: &emb, text: None, across: vec![features.clone()], beside: Some(x) };
        let mut x = self.down_blocks.iter().fold(features, |x, block| block.forward(x, &mut pass));
        if let Some(block) = &self.mid_block {
            x = block.forward(x, &pass);
        }
        pass.beside = None;
        x = self.up_blocks.iter().fold(x, |x, block| block.forward(x, &mut pass));
        let x = self.conv_out.forward(self.conv_norm_out.activated(x, None, Activation::Silu));
        let x = match pass.beside {
            Some(picture) => x + picture,
            None => x,
        };
        match config.time_embedding_type {
            TimeEmbedding::Positional | TimeEmbedding::Learned => x,
            TimeEmbedding::Fourier => {
                let each = TensorData::new(t.iter().map(|&t| t as f32).collect(), [t.len(), 1, 1, 1]);
                x / Tensor::<4>::from_data(each, &device)
            }
        }
    }

    /// What the embedding of each of these times is made of.
    fn features(&self, t: &[f64], device: &Device) -> Tensor<2> {
        let config = &self.config;
        match &self.time_proj {
            Some(TimeProjection::Fourier(projection)) => projection.forward(t, device),
            Some(TimeProjection::Rows(embedding)) => {
                let most = config.num_train_timesteps.map_or(0, |rows| rows.saturating_sub(1));
                // Between whole times nothing was learned.
                let whole: Vec<usize> = t.iter().map(|t| (t.round() as usize).min(most)).collect();
                rows(embedding, &whole, device)
            }
            None => {
                let dim = config.block_out_channels[0];
                let sinusoids = sinusoidal_embedding(t, dim, config.flip_sin_to_cos, config.freq_shift);
                Tensor::from_data(TensorData::new(sinusoids, [t.len(), dim]), device)
            }
        }
    }
}

/// Rows of an embedding: `[numbers, width]`.
fn rows(embedding: &Embedding, numbers: &[usize], device: &Device) -> Tensor<2> {
    let data = TensorData::new(numbers.iter().map(|&row| row as i32).collect(), [numbers.len(), 1]);
    embedding.forward(Tensor::<2, Int>::from_data(data, device)).squeeze_dim(1)
}

impl Unet2dConfig {
    fn level(&self, block: BlockType) -> LevelConfig {
        // Levels without this number have groups of their own.
        let groups = self.norm_num_groups.unwrap_or(1);
        let norm = Norm { groups, eps: self.norm_eps };
        let own =
            SpatialAttentionConfig { head_dim: self.attention_head_dim, norm: Some(norm), output_scale_factor: 1.0 };
        LevelConfig {
            layers: self.layers_per_block,
            sampling: block.sampling,
            resnet: ResnetConfig {
                groups: [groups; 2],
                eps: self.norm_eps,
                activation: self.act_fn,
                embedding: Some(self.time_embedding_dim),
                time_norm: self.resnet_time_scale_shift,
                output_scale_factor: 1.0,
                resampling: None,
            },
            // The way up has one layer more.
            attentions: vec![LevelAttentionConfig::Own(own); if block.attends { self.layers_per_block + 1 } else { 0 }],
        }
    }

    /// The middle: two residual blocks, with an attention between them.
    fn middle(&self) -> LevelConfig {
        let last = self.block_out_channels[self.block_out_channels.len() - 1];
        let conv = Sampling::Conv { padding: self.downsample_padding };
        let level = self.level(BlockType { attends: false, sampling: conv });
        let output_scale_factor = self.mid_block_scale_factor;
        let own = SpatialAttentionConfig {
            head_dim: self.attention_head_dim,
            norm: self.attn_norm_num_groups.map(|groups| Norm { groups, eps: self.norm_eps }),
            output_scale_factor,
        };
        let groups = [self.norm_num_groups.unwrap_or(skip_groups(last)); 2];
        LevelConfig {
            layers: 1,
            resnet: ResnetConfig { groups, output_scale_factor, ..level.resnet },
            attentions: self.add_attention.then_some(LevelAttentionConfig::Own(own)).into_iter().collect(),
            ..level
        }
    }
}
