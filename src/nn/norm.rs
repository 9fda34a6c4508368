use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Group normalisation (Wu & He 2018, arXiv 1803.08494).
#[derive(Module, Debug)]
pub struct GroupNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    groups: usize,
    eps: f64,
}

/// How many groups, and what is added to the variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    pub groups: usize,
    pub eps: f64,
}

impl GroupNorm {
    /// `channels` is a multiple of `norm.groups`.
    pub fn new(channels: usize, norm: Norm, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            groups: norm.groups,
            eps: norm.eps,
        }
    }

    /// # Shapes
    /// `[batch, channels, height, width]`, kept.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let x = x.reshape([batch, self.groups, channels / self.groups * height * width]);
        let x = x.clone() - x.mean_dim(2);
        let variance = x.clone().square().mean_dim(2);
        // The group's deviation and the channel's weight make one factor a channel: one pass over the picture less.
        let weight = self.weight.val().reshape([1, self.groups as i32, -1]) / (variance + self.eps).sqrt();
        x.reshape([batch, channels, height, width]) * weight.reshape([batch, channels, 1, 1])
            + self.bias.val().reshape([1, -1, 1, 1])
    }
}

/// Layer normalisation of the last axis (Ba et al. 2016, arXiv 1607.06450).
#[derive(Module, Debug)]
pub struct LayerNorm {
    weight: Option<Param<Tensor<1>>>,
    bias: Option<Param<Tensor<1>>>,
    eps: f64,
}

impl LayerNorm {
    pub fn new(width: usize, eps: f64, device: &Device) -> Self {
        Self {
            weight: Some(Initializer::Ones.init([width], device)),
            bias: Some(Initializer::Zeros.init([width], device)),
            eps,
        }
    }

    /// One that has nothing to learn (`elementwise_affine=False`).
    pub fn plain(eps: f64) -> Self {
        Self { weight: None, bias: None, eps }
    }

    /// # Shapes
    /// `[batch, positions, width]`, kept.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() - x.mean_dim(2);
        let deviation = (x.clone().square().mean_dim(2) + self.eps).sqrt();
        let x = x / deviation;
        match (&self.weight, &self.bias) {
            (Some(weight), Some(bias)) => x * weight.val().unsqueeze() + bias.val().unsqueeze(),
            _ => x,
        }
    }
}
