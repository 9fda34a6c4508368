//! Layers of `UNet2DModel` and of the classifiers, besides those of [`crate::nn`].
//!
//! Field names, parameter names and layouts are those of diffusers and torch, so weights load without renaming or
//! transposing.

use crate::nn::{GroupNorm, Norm, conv, silu};
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use std::f64::consts::TAU;

/// `W x + b`, with `W` stored as torch does, `[out, in]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Linear {
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        // What torch.nn.Linear starts from: uniform within 1 / sqrt(inputs).
        let init = Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false };
        Self {
            weight: init.init_with([outputs, inputs], Some(inputs), Some(outputs), device),
            bias: init.init_with([outputs], Some(inputs), Some(outputs), device),
        }
    }

    /// `[batch, in]` to `[batch, out]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }

    /// The same map at every position: `[batch, in, positions]` to `[batch, out, positions]`.
    pub fn forward_positions(&self, x: Tensor<3>) -> Tensor<3> {
        self.weight.val().unsqueeze::<3>().matmul(x) + self.bias.val().reshape([1, -1, 1])
    }
}

/// A residual block of two normalised convolutions, conditioned on the time in between (Ho et al. 2020, arXiv 2006.11239,
/// appendix B).
#[derive(Module, Debug)]
pub struct ResnetBlock2d {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl ResnetBlock2d {
    pub fn new([inputs, outputs]: [usize; 2], embedding: usize, norm: Norm, device: &Device) -> Self {
        Self {
            norm1: GroupNorm::new(inputs, norm, device),
            conv1: conv([inputs, outputs], 3, device),
            time_emb_proj: Linear::new(embedding, outputs, device),
            norm2: GroupNorm::new(outputs, norm, device),
            conv2: conv([outputs, outputs], 3, device),
            conv_shortcut: (inputs != outputs).then(|| conv([inputs, outputs], 1, device)),
        }
    }

    /// `x`: `[batch, in, height, width]`. `emb`: `[batch, embedding]`, the conditioning after its activation, which
    /// is the same for every block and so applied once by the caller. Returns `[batch, out, height, width]`.
    pub fn forward(&self, x: Tensor<4>, emb: Tensor<2>) -> Tensor<4> {
        let h = self.conv1.forward(silu(self.norm1.forward(x.clone())));
        let h = h + self.time_emb_proj.forward(emb).unsqueeze_dims(&[2, 3]);
        let h = self.conv2.forward(silu(self.norm2.forward(h)));
        h + match &self.conv_shortcut {
            Some(conv) => conv.forward(x),
            None => x,
        }
    }
}

/// Self-attention between the positions of a picture, with a residual connection.
#[derive(Module, Debug)]
pub struct Attention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: [Linear; 1],
    heads: usize,
}

impl Attention {
    /// `channels` is a multiple of `heads`.
    pub fn new(channels: usize, heads: usize, norm: Norm, device: &Device) -> Self {
        let linear = || Linear::new(channels, channels, device);
        Self {
            group_norm: GroupNorm::new(channels, norm, device),
            to_q: linear(),
            to_k: linear(),
            to_v: linear(),
            to_out: [linear()],
            heads,
        }
    }

    /// `[batch, channels, height, width]`, shape kept.
    ///
    /// Positions stay the last axis from end to end, as the picture has them, so that nothing is permuted in memory:
    /// the products take their operands transposed instead.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let positions = height * width;
        let h = self.group_norm.forward(x.clone()).reshape([batch, channels, positions]);
        let heads = |t: Tensor<3>| t.reshape([batch, self.heads, channels / self.heads, positions]);
        let q = heads(self.to_q.forward_positions(h.clone()));
        let k = heads(self.to_k.forward_positions(h.clone()));
        let v = heads(self.to_v.forward_positions(h));

        let scale = ((channels / self.heads) as f64).powf(-0.5);
        let attended = softmax((q * scale).swap_dims(2, 3).matmul(k), 3);
        let h = v.matmul(attended.swap_dims(2, 3)).reshape([batch, channels, positions]);
        let [to_out] = &self.to_out;
        to_out.forward_positions(h).reshape([batch, channels, height, width]) + x
    }
}

/// Two linear maps with an activation between them.
#[derive(Module, Debug)]
pub struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
}

impl TimestepEmbedding {
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self { linear_1: Linear::new(inputs, outputs, device), linear_2: Linear::new(outputs, outputs, device) }
    }

    /// `[batch, in]` to `[batch, out]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear_2.forward(silu(self.linear_1.forward(x)))
    }
}

/// Sines and cosines of the logarithm of a noise level, at random frequencies that are stored and never trained (Song et
/// al. 2021, arXiv 2011.13456, appendix C.1, after Tancik et al. 2020, arXiv 2006.10739).
#[derive(Module, Debug)]
pub struct GaussianFourierProjection {
    /// Turns for each unit of the logarithm.
    weight: Param<Tensor<1>>,
}

impl GaussianFourierProjection {
    /// Normally distributed frequencies of standard deviation `scale`.
    pub fn new(frequencies: usize, scale: f64, device: &Device) -> Self {
        let normal = Initializer::Normal { mean: 0.0, std: scale };
        Self { weight: normal.init([frequencies], device).set_require_grad(false) }
    }

    /// `[batch, 2 frequencies]`: the sines, then the cosines. Each of `t` is above 0.
    pub fn forward(&self, t: &[f64], device: &Device) -> Tensor<2> {
        let log = t.iter().map(|&t| (t as f32).ln()).collect();
        let log = Tensor::<2>::from_data(TensorData::new(log, [t.len(), 1]), device);
        let turns = log * self.weight.val().unsqueeze();
        // Whole turns are taken off first: a GPU's sine is only accurate near zero.
        let phase = (turns.clone() - turns.round()) * TAU;
        Tensor::cat(vec![phase.clone().sin(), phase.cos()], 1)
    }
}

/// Sines and cosines of `t` at frequencies that fall geometrically from 1 to 1/10000 (Vaswani et al. 2017,
/// arXiv 1706.03762, section 3.5), row-major `[t.len(), dim]`.
///
/// The halves are sines then cosines, or the other way round if `flip`; `shift` is taken off the number of
/// frequencies that the exponent is divided by. Computed here and not on the device, because a GPU's sine is only
/// accurate near zero; and in single precision like the reference, because a phase of up to 1000 radians amplifies
/// the rounding of its frequency.
pub fn sinusoidal_embedding(t: &[f64], dim: usize, flip: bool, shift: f64) -> Vec<f32> {
    let half = dim / 2;
    let frequency = |i: usize| (-(10000f64.ln() as f32) * i as f32 / (half as f64 - shift) as f32).exp();
    let mut out = Vec::with_capacity(t.len() * dim);
    for &t in t {
        let (sines, cosines): (Vec<_>, Vec<_>) = (0..half).map(|i| (t as f32 * frequency(i)).sin_cos()).unzip();
        let (first, second) = if flip { (cosines, sines) } else { (sines, cosines) };
        out.extend(first);
        out.extend(second);
        out.resize(out.len() + dim % 2, 0.0);
    }
    out
}
