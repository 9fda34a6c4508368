//! The text encoder of CLIP (Radford et al. 2021, arXiv 2103.00020): transformers' `CLIPTextModel` and
//! `CLIPTextModelWithProjection`.

mod config;
mod load;

pub use config::ClipTextConfig;

use crate::nn::{Activation, LayerNorm, Linear, attend};
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A causal transformer over token ids.
#[derive(Module, Debug)]
pub struct ClipText {
    embeddings: Embeddings,
    encoder: Encoder,
    final_layer_norm: LayerNorm,
    text_projection: Option<Linear>,
    #[module(skip)]
    config: ClipTextConfig,
}

/// What the encoder makes of a text.
#[derive(Clone, Debug)]
pub struct TextStates {
    /// The last state, normalised: `[batch, positions, hidden_size]`.
    pub last: Tensor<3>,
    /// The state before the last layer, as it is: `[batch, positions, hidden_size]`.
    pub penultimate: Tensor<3>,
    /// The last state at the end token, projected where the network has a projection: `[batch, hidden_size]` or
    /// `[batch, projection_dim]`.
    pub pooled: Tensor<2>,
}

impl ClipText {
    /// A network with random weights.
    pub fn new(config: &ClipTextConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let embedding = |rows| EmbeddingConfig::new(rows, width).init(device);
        Self {
            embeddings: Embeddings {
                token_embedding: embedding(config.vocab_size),
                position_embedding: embedding(config.max_position_embeddings),
            },
            encoder: Encoder { layers: (0..config.num_hidden_layers).map(|_| Layer::new(config, device)).collect() },
            final_layer_norm: LayerNorm::new(width, config.layer_norm_eps, device),
            text_projection: config.projection_dim.map(|out| Linear::without_bias(width, out, device)),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &ClipTextConfig {
        &self.config
    }

    /// The states of texts of equal length, each id below `vocab_size` and no more than `max_position_embeddings` of
    /// them.
    pub fn forward(&self, ids: &[Vec<u32>]) -> TextStates {
        let positions = ids.first().map_or(0, Vec::len);
        let device = self.embeddings.token_embedding.weight.val().device();
        let int =
            |values: Vec<i32>, rows| Tensor::<2, Int>::from_data(TensorData::new(values, [rows, positions]), &device);
        let tokens = int(ids.iter().flatten().map(|&id| id as i32).collect(), ids.len());
        let places = int((0..positions as i32).collect(), 1);
        let embeddings = &self.embeddings;
        let mut x = embeddings.token_embedding.forward(tokens) + embeddings.position_embedding.forward(places);

        // A token looks at itself and at those before it.
        let later = |row: usize| (0..positions).map(move |column| if column > row { f32::NEG_INFINITY } else { 0.0 });
        let mask: Vec<f32> = (0..positions).flat_map(later).collect();
        let mask = Tensor::<4>::from_data(TensorData::new(mask, [1, 1, positions, positions]), &device);
        let mut penultimate = x.clone();
        for layer in &self.encoder.layers {
            penultimate = x.clone();
            x = layer.forward(x, &mask);
        }
        let last = self.final_layer_norm.forward(x);
        let ends: Vec<i32> = ids.iter().enumerate().map(|(i, ids)| (i * positions + self.end(ids)) as i32).collect();
        let ends = Tensor::<1, Int>::from_data(TensorData::new(ends, [ids.len()]), &device);
        let pooled = last.clone().reshape([-1, self.config.hidden_size as i32]).select(0, ends);
        let pooled = match &self.text_projection {
            Some(projection) => projection.forward(pooled),
            None => pooled,
        };
        TextStates { last, penultimate, pooled }
    }

    /// The place of the end token: the first one, or where the configuration has the number that transformers gave it
    /// before 2023, the first of the largest id.
    fn end(&self, ids: &[u32]) -> usize {
        let end = match self.config.eos_token_id {
            ClipTextConfig::FORMER_END => ids.iter().max().copied(),
            end => Some(end),
        };
        ids.iter().position(|id| Some(*id) == end).unwrap_or(0)
    }
}

#[derive(Module, Debug)]
struct Embeddings {
    token_embedding: Embedding,
    position_embedding: Embedding,
}

#[derive(Module, Debug)]
struct Encoder {
    layers: Vec<Layer>,
}

#[derive(Module, Debug)]
struct Layer {
    self_attn: SelfAttention,
    layer_norm1: LayerNorm,
    mlp: Mlp,
    layer_norm2: LayerNorm,
}

impl Layer {
    fn new(config: &ClipTextConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let linear = || Linear::new(width, width, device);
        let norm = || LayerNorm::new(width, config.layer_norm_eps, device);
        Self {
            self_attn: SelfAttention {
                q_proj: linear(),
                k_proj: linear(),
                v_proj: linear(),
                out_proj: linear(),
                heads: config.num_attention_heads,
            },
            layer_norm1: norm(),
            mlp: Mlp {
                fc1: Linear::new(width, config.intermediate_size, device),
                fc2: Linear::new(config.intermediate_size, width, device),
                activation: config.hidden_act,
            },
            layer_norm2: norm(),
        }
    }

    fn forward(&self, x: Tensor<3>, mask: &Tensor<4>) -> Tensor<3> {
        let SelfAttention { q_proj, k_proj, v_proj, out_proj, heads } = &self.self_attn;
        let h = self.layer_norm1.forward(x.clone());
        let (q, k, v) = (q_proj.forward(h.clone()), k_proj.forward(h.clone()), v_proj.forward(h));
        let x = out_proj.forward(attend(q, k, v, *heads, Some(mask.clone()))) + x;
        let Mlp { fc1, fc2, activation } = &self.mlp;
        fc2.forward(activation.apply(fc1.forward(self.layer_norm2.forward(x.clone())))) + x
    }
}

#[derive(Module, Debug)]
struct SelfAttention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    heads: usize,
}

#[derive(Module, Debug)]
struct Mlp {
    fc1: Linear,
    fc2: Linear,
    #[module(skip)]
    activation: Activation,
}
