//! A classifier of noisy pictures: the way down of a U-Net, conditioned on the time, and a linear map of what it ends in (Dhariwal
//! & Nichol 2021, arXiv 2105.05233, section 4.1, with an average in place of attention pooling).

mod config;
mod load;

pub use config::{ClassifierConfig, ConfigError};
pub use load::LoadError;

use crate::nn::{
    Activation, Conv2d, Downsample2d, GroupNorm, Linear, Norm, ResnetBlock2d, ResnetConfig, TimeNorm,
    TimestepEmbedding, conv, silu, sinusoidal_embedding,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// A network that classifies pictures at every noise level.
#[derive(Module, Debug)]
pub struct NoisyClassifier {
    conv_in: Conv2d,
    time_embedding: TimestepEmbedding,
    down_blocks: Vec<DownBlock>,
    conv_norm_out: GroupNorm,
    classifier: Linear,
    #[module(skip)]
    config: ClassifierConfig,
}

/// One level. The last has no `downsamplers`.
#[derive(Module, Debug)]
struct DownBlock {
    resnets: Vec<ResnetBlock2d>,
    downsamplers: Vec<Downsample2d>,
}

impl NoisyClassifier {
    /// A network with random weights.
    pub fn new(config: &ClassifierConfig, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let norm = Norm { groups: config.norm_num_groups, eps: config.norm_eps };
        let embedding = 4 * first;
        let resnet = ResnetConfig {
            groups: [norm.groups; 2],
            eps: norm.eps,
            activation: Activation::Silu,
            embedding: Some(embedding),
            time_norm: TimeNorm::Default,
            output_scale_factor: 1.0,
            resampling: None,
        };
        let down = |i: usize| {
            let (inputs, outputs) = (channels[i.saturating_sub(1)], channels[i]);
            let resnet =
                |layer| ResnetBlock2d::new([if layer == 0 { inputs } else { outputs }, outputs], &resnet, device);
            let downsampler = (i + 1 < channels.len()).then(|| Downsample2d::new(outputs, 1, device));
            DownBlock {
                resnets: (0..config.layers_per_block).map(resnet).collect(),
                downsamplers: downsampler.into_iter().collect(),
            }
        };
        Self {
            conv_in: conv([config.in_channels, first], 3, device),
            time_embedding: TimestepEmbedding::new(first, embedding, None, Activation::Silu, device),
            down_blocks: (0..channels.len()).map(down).collect(),
            conv_norm_out: GroupNorm::new(last, norm, device),
            classifier: Linear::new(last, config.num_classes, device),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &ClassifierConfig {
        &self.config
    }

    /// The logits `[batch, num_classes]` of noisy pictures `x` `[batch, in_channels, height, width]` at the model's own
    /// times `t` `[batch]`. Height and width may be any.
    pub fn forward(&self, x: Tensor<4>, t: &[f64]) -> Tensor<2> {
        self.classify(self.features(x, t))
    }

    /// The features of pictures, given as to [`forward`](Self::forward): the averages over the picture that its
    /// last map takes, `[batch, channels]` with the last of `block_out_channels`.
    pub fn features(&self, x: Tensor<4>, t: &[f64]) -> Tensor<2> {
        let dim = self.config.block_out_channels[0];
        let sinusoids = TensorData::new(sinusoidal_embedding(t, dim, true, 0.0), [t.len(), dim]);
        let emb = silu(self.time_embedding.forward(Tensor::from_data(sinusoids, &x.device()), None));
        let mut x = self.conv_in.forward(x);
        for block in &self.down_blocks {
            for resnet in &block.resnets {
                x = resnet.forward(x, Some(&emb));
            }
            for downsampler in &block.downsamplers {
                x = downsampler.forward(x);
            }
        }
        let x = self.conv_norm_out.activated(x, None, Activation::Silu);
        let [batch, channels, height, width] = x.dims();
        x.reshape([batch, channels, height * width]).mean_dim(2).reshape([batch, channels])
    }

    /// The logits `[batch, num_classes]` of [`features`](Self::features) `[batch, channels]`.
    pub fn classify(&self, features: Tensor<2>) -> Tensor<2> {
        self.classifier.forward(features)
    }
}

#[cfg(feature = "autodiff")]
mod gradient {
    use super::NoisyClassifier;
    use crate::denoise::Classifier;
    use crate::math::Level;
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Int, Tensor, TensorData};

    /// A classifier made for the classes that are wanted, one for each picture of a batch. Without the cargo feature
    /// `autodiff` there is none.
    #[derive(Clone, Debug)]
    pub struct Wanted<'a> {
        pub net: &'a NoisyClassifier,
        /// Each below the network's `num_classes`.
        pub classes: Vec<usize>,
    }

    impl Classifier<Tensor<4>> for Wanted<'_> {
        /// Differentiated on the device. The weights are no part of the graph, so only what the derivative by the picture
        /// needs is computed.
        fn gradient(&self, x: &Tensor<4>, at: Level) -> Tensor<4> {
            let x = x.clone().autodiff().require_grad();
            let images = self.classes.len();
            let log_p = log_softmax(self.net.forward(x.clone(), &vec![at.t; images]), 1);
            let classes = self.classes.iter().map(|&class| class as i32).collect();
            let classes = Tensor::<2, Int>::from_data(TensorData::new(classes, [images, 1]), &log_p.device());
            let mut gradients = log_p.gather(1, classes).sum().backward();
            x.grad_remove(&mut gradients).unwrap_or_else(|| x.inner().zeros_like())
        }
    }
}

#[cfg(feature = "autodiff")]
pub use gradient::Wanted;
