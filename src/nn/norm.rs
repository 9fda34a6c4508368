use super::Activation;
#[cfg(feature = "gpu")]
use super::gpu;
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
        #[cfg(feature = "cpu")]
        if super::cpu::takes(&x) {
            return on_cpu::norm(self, x, None, false);
        }
        #[cfg(feature = "gpu")]
        if gpu::takes(&x) {
            return self.on_gpu(x, None, false);
        }
        self.composed(x)
    }

    /// The activation of the normalisation of `x`, to which `added` `[batch, channels]` is added before.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]`, kept.
    pub fn activated(&self, x: Tensor<4>, added: Option<Tensor<2>>, activation: Activation) -> Tensor<4> {
        #[cfg(feature = "cpu")]
        if activation == Activation::Silu && super::cpu::takes(&x) {
            return on_cpu::norm(self, x, added, true);
        }
        #[cfg(feature = "gpu")]
        if activation == Activation::Silu && gpu::takes(&x) {
            return self.on_gpu(x, added, true);
        }
        let x = match added {
            Some(added) => x + added.unsqueeze_dims::<4>(&[2, 3]),
            None => x,
        };
        activation.apply(self.forward(x))
    }

    #[cfg(feature = "gpu")]
    fn on_gpu(&self, x: Tensor<4>, added: Option<Tensor<2>>, silu: bool) -> Tensor<4> {
        let way = gpu::Normalisation { groups: self.groups, eps: self.eps as f32, silu };
        gpu::norm(x, added, self.weight.val(), self.bias.val(), way)
    }

    /// Of burn's operations.
    fn composed(&self, x: Tensor<4>) -> Tensor<4> {
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

#[cfg(feature = "cpu")]
mod on_cpu {
    use super::GroupNorm;
    use crate::nn::cpu::{tensor, values};
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Backend, Dispatch, Flex, backend_extension};
    use burn::tensor::Tensor;
    use unnoise_kernels::{Normalisation, normalise};

    pub fn norm(norm: &GroupNorm, x: Tensor<4>, added: Option<Tensor<2>>, silu: bool) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let added = added.unwrap_or_else(|| Tensor::zeros([batch, channels], &x.device()));
        let shape = Normalisation { groups: norm.groups, channels, pixels: height * width, eps: norm.eps as f32, silu };
        let [weight, bias] = [&norm.weight, &norm.bias].map(|param| param.val().into_dispatch());
        Tensor::from_dispatch(<Dispatch as Normalise>::normalise(
            x.into_dispatch(),
            added.into_dispatch(),
            weight,
            bias,
            shape,
        ))
    }

    #[backend_extension(Flex)]
    pub trait Normalise: Backend {
        fn normalise(
            x: FloatTensor<Self>,
            added: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            shape: Normalisation,
        ) -> FloatTensor<Self>;
    }

    impl Normalise for Flex {
        fn normalise(
            x: FloatTensor<Self>,
            added: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            shape: Normalisation,
        ) -> FloatTensor<Self> {
            let [x, added, weight, bias] = [x, added, weight, bias].map(|x| x.to_contiguous());
            let out = normalise(values(&x), values(&added), values(&weight), values(&bias), &shape);
            tensor(out, x.layout().shape().clone())
        }
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

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::backend::cpu;
    use burn::tensor::TensorData;
    use proptest::prelude::*;

    /// Numbers that look random, far from 0.
    fn tensor<const D: usize>(shape: [usize; D], salt: usize) -> Tensor<D> {
        let count = shape.iter().product::<usize>();
        let values = (0..count).map(|i| ((i * 7919 + salt * 104_729) % 1009) as f32 / 504.5 + 2.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &cpu::device())
    }

    proptest! {
        #[test]
        fn one_pass_is_as_burn_computes_it(
            groups in 1usize..5,
            width in 1usize..5,
            size in [1usize..3, 1usize..20, 1usize..20],
            added in any::<bool>(),
            silu in any::<bool>(),
        ) {
            let (channels, [batch, height, width_of_picture]) = (groups * width, size);
            let norm = GroupNorm {
                weight: Param::from_tensor(tensor([channels], 1)),
                bias: Param::from_tensor(tensor([channels], 2)),
                groups,
                eps: 1e-2,
            };
            let x = tensor([batch, channels, height, width_of_picture], 3);
            let added = added.then(|| tensor([batch, channels], 4));
            let activation = if silu { Activation::Silu } else { Activation::Relu };
            let tracked = norm.activated(x.clone().autodiff(), added.clone().map(Tensor::autodiff), activation).inner();
            let ours = norm.activated(x, added, activation);
            for (ours, theirs) in cpu::read(ours).iter().zip(cpu::read(tracked)) {
                // Numbers up to 8 of which the mean is taken, divided by a deviation of at least 0.1.
                prop_assert!((ours - theirs).abs() <= 2e-5 * (1.0 + theirs.abs()), "{ours}, not {theirs}");
            }
        }
    }

    #[test]
    fn a_picture_does_not_depend_on_its_neighbours() {
        let norm = GroupNorm::new(12, Norm { groups: 3, eps: 1e-5 }, &cpu::device());
        let x = tensor([4, 12, 9, 7], 5);
        let all = cpu::read(norm.forward(x.clone()));
        let one = cpu::read(norm.forward(x.narrow(0, 2, 1)));
        assert_eq!(one[..], all[2 * one.len()..3 * one.len()]);
    }
}
