#[cfg(feature = "gpu")]
use super::gpu;
use super::{GroupNorm, Linear, Norm, softmax};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// What a [`SpatialAttention`] is built from.
#[derive(Clone, Copy, Debug)]
pub struct SpatialAttentionConfig {
    /// Channels of a head; those that are left over take no part. `None` is one head of all channels.
    pub head_dim: Option<usize>,
    pub norm: Option<Norm>,
    /// What the sum with the input is divided by.
    pub output_scale_factor: f64,
}

/// Self-attention between the positions of a picture, with a normalisation of its own and a residual connection: diffusers'
/// `Attention` as unconditional networks and autoencoders have it.
#[derive(Module, Debug)]
pub struct SpatialAttention {
    group_norm: Option<GroupNorm>,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: [Linear; 1],
    heads: usize,
    output_scale_factor: f64,
}

impl SpatialAttention {
    /// A head has at most `channels` channels.
    pub fn new(channels: usize, config: &SpatialAttentionConfig, device: &Device) -> Self {
        let heads = config.head_dim.map_or(1, |dim| channels / dim);
        let width = config.head_dim.map_or(channels, |dim| heads * dim);
        let linear = || Linear::new(channels, width, device);
        Self {
            group_norm: config.norm.map(|norm| GroupNorm::new(channels, norm, device)),
            to_q: linear(),
            to_k: linear(),
            to_v: linear(),
            to_out: [Linear::new(width, channels, device)],
            heads,
            output_scale_factor: config.output_scale_factor,
        }
    }

    /// # Shapes
    /// `[batch, channels, height, width]`, kept.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let positions = height * width;
        let h = match &self.group_norm {
            Some(norm) => norm.forward(x.clone()),
            None => x.clone(),
        };
        let h = h.reshape([batch, channels, positions]);
        let [q, k, v] = [&self.to_q, &self.to_k, &self.to_v].map(|map| map.forward_positions(h.clone()));
        let h = attend(q, k, v, self.heads);
        let [to_out] = &self.to_out;
        let sum = to_out.forward_positions(h).reshape([batch, channels, height, width]) + x;
        if self.output_scale_factor == 1.0 { sum } else { sum / self.output_scale_factor }
    }
}

/// Positions stay the last axis from end to end, as the picture has them, so that nothing is permuted in memory: the products take their
/// operands transposed instead.
///
/// # Shapes
/// `[batch, channels, positions]`, kept.
fn attend(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize) -> Tensor<3> {
    #[cfg(feature = "gpu")]
    if gpu::takes(&q) {
        return gpu::attend([q, k, v], heads, gpu::Layout::ChannelsFirst);
    }
    let shape @ [batch, width, positions] = q.dims();
    let split = |t: Tensor<3>| t.reshape([batch, heads, width / heads, positions]);
    let scale = ((width / heads) as f64).powf(-0.5);
    let weights = softmax((split(q) * scale).swap_dims(2, 3).matmul(split(k)));
    split(v).matmul(weights.swap_dims(2, 3)).reshape(shape)
}
