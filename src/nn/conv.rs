//! Convolution (torch's `Conv2d`, without groups and dilation).

#[cfg(feature = "gpu")]
use super::gpu;
use super::resampling::repeated;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

/// A convolution with its weights, `[outputs, inputs, height, width]`, and a bias or none.
#[derive(Module, Debug)]
pub struct Conv2d {
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    config: Conv2dConfig,
    #[cfg(feature = "cpu")]
    #[module(skip)]
    transforms: on_cpu::TransformCache,
}

/// What a convolution does with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dConfig {
    /// Inputs and outputs.
    pub channels: [usize; 2],
    /// Height and width.
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Zeros above and below, left and right.
    pub padding: [[usize; 2]; 2],
    pub bias: bool,
}

impl Conv2dConfig {
    /// One that keeps the size of a picture, with a `kernel` of odd size.
    pub fn same(channels: [usize; 2], kernel: usize) -> Self {
        let pad = kernel / 2;
        Self { channels, kernel: [kernel; 2], stride: [1, 1], padding: [[pad, pad]; 2], bias: true }
    }

    /// What `torch.nn.Conv2d` starts from: uniform within `1 / sqrt(fan in)`.
    pub fn init(self, device: &Device) -> Conv2d {
        let ([inputs, outputs], [height, width]) = (self.channels, self.kernel);
        let fan = [inputs, outputs].map(|channels| Some(channels * height * width));
        let uniform = Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false };
        let weight = uniform.init_with([outputs, inputs, height, width], fan[0], fan[1], device);
        let bias = self.bias.then(|| uniform.init_with([outputs], fan[0], fan[1], device));
        Conv2d::of(weight, bias, self)
    }
}

impl Conv2d {
    fn of(weight: Param<Tensor<4>>, bias: Option<Param<Tensor<1>>>, config: Conv2dConfig) -> Self {
        #[cfg(feature = "cpu")]
        let transforms = on_cpu::TransformCache::default();
        Self {
            weight,
            bias,
            config,
            #[cfg(feature = "cpu")]
            transforms,
        }
    }

    /// # Shapes
    /// `[batch, inputs, height, width]` to `[batch, outputs, ..]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if gpu::takes(&x) {
            let [_, _, height, width] = x.dims();
            return self.on_gpu(x, [height, width], None);
        }
        let (weight, bias) = (self.weight.val(), self.bias.as_ref().map(Param::val));
        #[cfg(feature = "cpu")]
        if super::cpu::takes(&x) && super::cpu::takes(&weight) {
            return on_cpu::conv(x, weight, bias, self.config, self.transforms.clone());
        }
        let Conv2dConfig { stride, padding, .. } = self.config;
        let padding = padding.map(|[before, after]| (before, after));
        conv2d(x, weight, bias, ConvOptions { stride, padding, dilation: [1, 1], groups: 1 })
    }

    /// The same plus `residual`, which is of the result's shape.
    pub fn forward_onto(&self, x: Tensor<4>, residual: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if gpu::takes(&x) && gpu::takes(&residual) {
            let [_, _, height, width] = x.dims();
            return self.on_gpu(x, [height, width], Some(residual));
        }
        self.forward(x) + residual
    }

    /// The same of `x` enlarged to `size`, which is twice its height and width or one less, by repeating pixels.
    pub fn forward_enlarged(&self, x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if gpu::takes(&x) {
            return self.on_gpu(x, size, None);
        }
        self.forward(repeated(x, size))
    }

    /// Weights that are stored in 16 bits are read as they are.
    #[cfg(feature = "gpu")]
    fn on_gpu(&self, x: Tensor<4>, seen: [usize; 2], residual: Option<Tensor<4>>) -> Tensor<4> {
        gpu::conv(x, seen, self.weight.base().clone(), self.bias.as_ref().map(Param::val), residual, self.config)
    }
}

#[cfg(feature = "cpu")]
mod on_cpu {
    use super::Conv2dConfig;
    use crate::nn::cpu::{tensor, values};
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Backend, Dispatch, Flex, backend_extension};
    use burn::tensor::Tensor;
    use std::sync::{Arc, Mutex, PoisonError};
    use unnoise_kernels::{Convolution, Transformed, convolve};

    /// The weights in Winograd's transform, beside the tensor that they were computed from: as long as that is held here, no other can have
    /// its address.
    #[derive(Clone, Debug, Default)]
    pub struct TransformCache(Arc<Mutex<Option<Cached>>>);

    type Cached = (FloatTensor<Flex>, Arc<Transformed>);

    impl TransformCache {
        /// Those of `weight`, which may have changed since.
        fn of(&self, weight: &FloatTensor<Flex>, shape: &Convolution) -> Option<Arc<Transformed>> {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &*held {
                Some((of, kept)) if values(of).as_ptr_range() == values(weight).as_ptr_range() => Some(kept.clone()),
                _ => {
                    let kept = Transformed::of(values(weight), shape).map(Arc::new);
                    *held = kept.clone().map(|kept| (weight.clone(), kept));
                    kept
                }
            }
        }
    }

    pub fn conv(
        x: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        config: Conv2dConfig,
        transforms: TransformCache,
    ) -> Tensor<4> {
        let bias = bias.unwrap_or_else(|| Tensor::zeros([config.channels[1]], &x.device())).into_dispatch();
        let out =
            <Dispatch as Convolve>::convolution(x.into_dispatch(), weight.into_dispatch(), bias, config, transforms);
        Tensor::from_dispatch(out)
    }

    #[backend_extension(Flex)]
    pub trait Convolve: Backend {
        fn convolution(
            x: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            config: Conv2dConfig,
            transforms: TransformCache,
        ) -> FloatTensor<Self>;
    }

    impl Convolve for Flex {
        fn convolution(
            x: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            bias: FloatTensor<Self>,
            config: Conv2dConfig,
            transforms: TransformCache,
        ) -> FloatTensor<Self> {
            let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
            let dims = x.layout().shape().dims::<4>();
            let [batch, inputs, height, width] = dims;
            let Conv2dConfig { channels: [_, outputs], kernel, stride, padding, .. } = config;
            let shape = Convolution { batch, inputs, outputs, size: [height, width], kernel, stride, padding };
            let [rows, columns] = shape.out();
            let transformed = transforms.of(&weight, &shape);
            let out = convolve(values(&x), values(&weight), transformed.as_deref(), values(&bias), &shape);
            tensor(out, [batch, outputs, rows, columns])
        }
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::backend::cpu;
    use burn::tensor::TensorData;
    use proptest::prelude::*;

    /// Numbers that look random.
    fn tensor(shape: [usize; 4], salt: usize) -> Tensor<4> {
        let count = shape.iter().product::<usize>();
        let values = (0..count).map(|i| ((i * 7919 + salt * 104_729) % 1009) as f32 / 504.5 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &cpu::device())
    }

    /// burn's and ours.
    fn both(config: Conv2dConfig, [batch, height, width]: [usize; 3]) -> [Vec<f32>; 2] {
        let ([inputs, outputs], [rows, columns]) = (config.channels, config.kernel);
        let weight = Param::from_tensor(tensor([outputs, inputs, rows, columns], 1));
        let bias = config.bias.then(|| Param::from_tensor(tensor([outputs, 1, 1, 1], 2).reshape([outputs])));
        let conv = Conv2d::of(weight, bias, config);
        let x = tensor([batch, inputs, height, width], 3);
        let tracked = conv.forward(x.clone().autodiff()).inner();
        let ours = conv.forward(x.clone());
        assert_eq!(cpu::read(ours.clone()), cpu::read(conv.forward(x)), "weights that are kept are the same ones");
        assert_eq!(tracked.dims(), ours.dims());
        [cpu::read(tracked), cpu::read(ours)]
    }

    fn close(config: Conv2dConfig, size: [usize; 3]) {
        let [theirs, ours] = both(config, size);
        // The order of a sum is worth a few units in the last place of its largest part: as many as there are terms of 1, and in Winograd's
        // transform of a tile four times as many.
        let terms = (config.channels[0] * config.kernel[0] * config.kernel[1]) as f32;
        let allowed = 4e-7 * terms.max(8.0);
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert!((ours - theirs).abs() <= allowed, "{config:?} {size:?} at {i}: {ours}, not {theirs}");
        }
    }

    #[test]
    fn the_shapes_of_networks_are_as_burn_computes_them() {
        for (channels, kernel, size) in [
            ([1, 32], 3, [2, 28, 28]),
            ([32, 64], 3, [1, 14, 14]),
            ([112, 112], 3, [3, 7, 7]),
            ([177, 7], 3, [1, 5, 9]),
            ([64, 112], 1, [2, 14, 14]),
            ([64, 64], 3, [2, 28, 28]),
            ([32, 32], 5, [2, 28, 28]),
            ([3, 3], 5, [1, 6, 6]),
        ] {
            close(Conv2dConfig::same(channels, kernel), size);
        }
        // Sums of about 90, which Winograd's transform rounds by more than their order does.
        let padding = [[1, 2], [2, 2]];
        close(Conv2dConfig { padding, ..Conv2dConfig::same([39, 35], 3) }, [2, 14, 3]);
    }

    proptest! {
        #[test]
        fn every_shape_is_as_burn_computes_it(
            channels in [1usize..20, 1usize..20],
            kernel in [1usize..5, 1usize..5],
            stride in [1usize..4, 1usize..4],
            padding in [[0usize..3, 0usize..3], [0usize..3, 0usize..3]],
            bias in any::<bool>(),
            size in [1usize..3, 5usize..14, 5usize..14],
        ) {
            close(Conv2dConfig { channels, kernel, stride, padding, bias }, size);
        }
    }

    proptest! {
        #[test]
        fn three_by_three_is_as_burn_computes_it(
            channels in [8usize..40, 8usize..40],
            padding in [[0usize..3, 0usize..3], [0usize..3, 0usize..3]],
            size in [1usize..3, 3usize..40, 3usize..40],
        ) {
            close(Conv2dConfig { channels, kernel: [3, 3], stride: [1, 1], padding, bias: true }, size);
        }
    }

    /// Weights that are kept are forgotten with the tensor that they were made of, and make no difference on a larger picture.
    #[test]
    fn other_weights_are_other_weights() {
        let config = Conv2dConfig::same([9, 14], 3);
        let (mut conv, x) = (config.init(&cpu::device()), tensor([1, 9, 6, 6], 3));
        conv.forward(x.clone());
        conv.weight = conv.weight.map(|weight| weight * 2.0);
        conv.bias = None;
        let anew = Conv2d::of(conv.weight.clone(), None, config);
        assert_eq!(cpu::read(conv.forward(x.clone())), cpu::read(anew.forward(x)));
        let large = tensor([1, 9, 40, 40], 5);
        let without = Conv2d::of(conv.weight.clone(), None, config);
        assert_eq!(cpu::read(conv.forward(large.clone())), cpu::read(without.forward(large)));
    }

    /// In small layers, which one thread computes, and in those that are shared out over the cores.
    #[test]
    fn a_picture_does_not_depend_on_its_neighbours() {
        for (channels, kernel, [height, width]) in
            [([24, 40], 3, [9, 11]), ([64, 64], 3, [28, 28]), ([32, 32], 5, [28, 28])]
        {
            let conv = Conv2dConfig::same(channels, kernel).init(&cpu::device());
            let x = tensor([5, channels[0], height, width], 4);
            let all = cpu::read(conv.forward(x.clone()));
            let one = cpu::read(conv.forward(x.narrow(0, 3, 1)));
            assert_eq!(one[..], all[3 * one.len()..4 * one.len()]);
        }
    }
}
