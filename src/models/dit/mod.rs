//! The diffusion transformer (Peebles & Xie 2023, arXiv 2212.09748), as diffusers' `DiTTransformer2DModel` builds it.

mod config;
mod load;

pub use config::DitConfig;

use crate::nn::{
    Activation, Attention, Conv2d, Conv2dConfig, FeedForward, LayerNorm, Linear, TimestepEmbedding, silu,
    sinusoidal_embedding,
};
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Width of the sines and cosines that a time is embedded by.
const FREQUENCIES: usize = 256;

/// The class embedding that a block is conditioned on, made of its rows for a list of classes.
pub type Label<'a> = dyn Fn(&dyn Fn(&[usize]) -> Tensor<2>) -> Tensor<2> + 'a;

/// A transformer on patches of latents, given the time and a class.
#[derive(Module, Debug)]
pub struct Dit {
    pos_embed: PatchEmbed,
    transformer_blocks: Vec<Block>,
    proj_out_1: Linear,
    proj_out_2: Linear,
    norm_out: LayerNorm,
    #[module(skip)]
    config: DitConfig,
}

impl Dit {
    /// A network with random weights.
    pub fn new(config: &DitConfig, device: &Device) -> Self {
        let (width, patch) = (config.width(), config.patch_size);
        Self {
            pos_embed: PatchEmbed {
                proj: Conv2dConfig {
                    channels: [config.in_channels, width],
                    kernel: [patch, patch],
                    stride: [patch, patch],
                    padding: [[0, 0]; 2],
                    bias: true,
                }
                .init(device),
            },
            transformer_blocks: (0..config.num_layers).map(|_| Block::new(config, device)).collect(),
            proj_out_1: Linear::new(width, 2 * width, device),
            proj_out_2: Linear::new(width, patch * patch * config.out_channels, device),
            norm_out: LayerNorm::plain(NORM_EPS),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &DitConfig {
        &self.config
    }

    /// The network's output for latents at the network's own times, one an image; a class is below or, for none, equal to
    /// `num_embeds_ada_norm`.
    ///
    /// # Shapes
    /// `x` `[batch, in_channels, height, width]`, `t` and `class` `[batch]`; the result is
    /// `[batch, out_channels, height, width]`. Height and width are multiples of `patch_size`.
    pub fn forward(&self, x: Tensor<4>, t: &[f64], class: &[usize]) -> Tensor<4> {
        self.forward_with(x, t, &|row| row(class))
    }

    /// The same with the class embedding of each block, which `label` makes of the block's rows for a list of classes, `[batch, width]`.
    pub fn forward_with(&self, x: Tensor<4>, t: &[f64], label: &Label<'_>) -> Tensor<4> {
        let device = x.device();
        let [batch, _, height, width] = x.dims();
        let patch = self.config.patch_size;
        let [rows, columns] = [height / patch, width / patch];
        let time = sinusoidal_embedding(t, FREQUENCIES, true, 1.0);
        let time = Tensor::<2>::from_data(TensorData::new(time, [batch, FREQUENCIES]), &device);

        let patches = self.pos_embed.proj.forward(x).flatten::<3>(2, 3).swap_dims(1, 2);
        let places = positions(self.config.width(), [rows, columns], self.config.sample_size / patch);
        let places = TensorData::new(places, [1, rows * columns, self.config.width()]);
        let mut h = patches + Tensor::<3>::from_data(places, &device);
        for block in &self.transformer_blocks {
            h = block.forward(h, &time, label);
        }
        let Some(first) = self.transformer_blocks.first() else { unreachable!("num_layers is at least 1") };
        let modulation = self.proj_out_1.forward(silu(first.norm1.emb.forward(&time, label)));
        let [shift, scale] = modulation.chunk(2, 1).try_into().expect("two halves of an even width");
        let h = self.proj_out_2.forward(modulated(self.norm_out.forward(h), shift, scale));
        // From patches to the picture.
        let outputs = self.config.out_channels;
        h.reshape([batch, rows, columns, patch, patch, outputs])
            .permute([0, 5, 1, 3, 2, 4])
            .reshape([batch, outputs, height, width])
    }
}

/// What adaLN's norms add to the variance.
const NORM_EPS: f64 = 1e-6;

/// `h` scaled and shifted, the same at every position.
fn modulated(h: Tensor<3>, shift: Tensor<2>, scale: Tensor<2>) -> Tensor<3> {
    h * (scale + 1.0).unsqueeze_dim(1) + shift.unsqueeze_dim(1)
}

/// Sines and cosines of the place of each patch, row-major `[rows * columns, width]`: the first half of the column, the
/// second of the row. A grid of another size than `base` is laid over the same extent.
fn positions(width: usize, [rows, columns]: [usize; 2], base: usize) -> Vec<f32> {
    let half = width / 2;
    let table = |place: usize, count: usize| {
        // The extent is in single precision, as in the reference, and what follows in double.
        let place = f64::from(place as f32 / (count as f32 / base as f32));
        let phase = move |i: usize| place / 10000_f64.powf(i as f64 / (half as f64 / 2.0));
        let sines = (0..half / 2).map(move |i| phase(i).sin());
        sines.chain((0..half / 2).map(move |i| phase(i).cos())).map(|v| v as f32)
    };
    let place = |k: usize| table(k % columns, columns).chain(table(k / columns, rows));
    (0..rows * columns).flat_map(place).collect()
}

#[derive(Module, Debug)]
struct PatchEmbed {
    proj: Conv2d,
}

/// diffusers' `BasicTransformerBlock` with `ada_norm_zero`.
#[derive(Module, Debug)]
struct Block {
    norm1: AdaLayerNormZero,
    attn1: Attention,
    norm3: LayerNorm,
    ff: FeedForward,
}

impl Block {
    fn new(config: &DitConfig, device: &Device) -> Self {
        let width = config.width();
        let rows = config.num_embeds_ada_norm + 1;
        Self {
            norm1: AdaLayerNormZero {
                emb: TimeAndLabel {
                    timestep_embedder: TimestepEmbedding::new(FREQUENCIES, width, None, Activation::Silu, device),
                    class_embedder: LabelEmbedding { embedding_table: EmbeddingConfig::new(rows, width).init(device) },
                },
                linear: Linear::new(width, 6 * width, device),
                norm: LayerNorm::plain(NORM_EPS),
            },
            attn1: Attention::new(width, width, config.num_attention_heads, config.attention_bias, device),
            norm3: LayerNorm::plain(config.norm_eps),
            ff: FeedForward::new(width, config.activation_fn, device),
        }
    }

    fn forward(&self, x: Tensor<3>, time: &Tensor<2>, label: &Label<'_>) -> Tensor<3> {
        let modulation = self.norm1.linear.forward(silu(self.norm1.emb.forward(time, label)));
        let [shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp, gate_mlp] =
            modulation.chunk(6, 1).try_into().expect("six parts of a multiple of six");
        let h = modulated(self.norm1.norm.forward(x.clone()), shift_msa, scale_msa);
        let x = self.attn1.forward(h.clone(), h) * gate_msa.unsqueeze_dim(1) + x;
        let h = modulated(self.norm3.forward(x.clone()), shift_mlp, scale_mlp);
        self.ff.forward(h) * gate_mlp.unsqueeze_dim(1) + x
    }
}

/// adaLN-Zero: the conditioning scales, shifts and gates each layer.
#[derive(Module, Debug)]
struct AdaLayerNormZero {
    emb: TimeAndLabel,
    linear: Linear,
    norm: LayerNorm,
}

/// diffusers' `CombinedTimestepLabelEmbeddings`.
#[derive(Module, Debug)]
struct TimeAndLabel {
    timestep_embedder: TimestepEmbedding,
    class_embedder: LabelEmbedding,
}

impl TimeAndLabel {
    fn forward(&self, time: &Tensor<2>, label: &Label<'_>) -> Tensor<2> {
        let rows = |class: &[usize]| {
            let numbers = class.iter().map(|&c| c as i32).collect();
            let class = Tensor::<2, Int>::from_data(TensorData::new(numbers, [class.len(), 1]), &time.device());
            self.class_embedder.embedding_table.forward(class).squeeze_dim(1)
        };
        self.timestep_embedder.forward(time.clone(), None) + label(&rows)
    }
}

#[derive(Module, Debug)]
struct LabelEmbedding {
    embedding_table: Embedding,
}
