use super::{Activation, Linear};
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor, TensorData};
use std::f64::consts::TAU;

/// Two linear maps with an activation between them, and a further condition that is added before the first.
#[derive(Module, Debug)]
pub struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
    cond_proj: Option<Linear>,
    #[module(skip)]
    activation: Activation,
}

impl TimestepEmbedding {
    /// `condition` is the width of the further condition, if there is one (`time_cond_proj_dim`).
    pub fn new(
        inputs: usize,
        outputs: usize,
        condition: Option<usize>,
        activation: Activation,
        device: &Device,
    ) -> Self {
        Self {
            linear_1: Linear::new(inputs, outputs, device),
            linear_2: Linear::new(outputs, outputs, device),
            cond_proj: condition.map(|width| Linear::without_bias(width, inputs, device)),
            activation,
        }
    }

    /// # Shapes
    /// `x` `[batch, in]`, `condition` `[batch, condition]`; the result is `[batch, out]`.
    pub fn forward(&self, x: Tensor<2>, condition: Option<Tensor<2>>) -> Tensor<2> {
        let x = match (&self.cond_proj, condition) {
            (Some(project), Some(condition)) => x + project.forward(condition),
            _ => x,
        };
        self.linear_2.forward(self.activation.apply(self.linear_1.forward(x)))
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
