//! The judge of text models: encoders of pictures and captions that were trained to agree (CLIP, Radford et al. 2021, arXiv
//! 2103.00020).

mod config;
mod load;

pub use config::{JudgeConfig, JudgeSection};

use crate::models::clip_text::ClipText;
use crate::nn::{Activation, Conv2d, Conv2dConfig, GroupNorm, Linear, Norm, Scalar, conv};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

const NORM: Norm = Norm { groups: JudgeConfig::GROUPS, eps: 1e-5 };
/// The logarithm of what similarities are multiplied by: where it starts, and its largest value.
const FIRST_SCALE: f64 = 2.7;
const MOST_SCALE: f64 = 4.6;

/// Pictures and captions as unit vectors that point the same way where they belong together.
#[derive(Module, Debug)]
pub struct Judge {
    text_encoder: ClipText,
    picture_encoder: Vec<Layer>,
    picture_head: Linear,
    text_head: Linear,
    scale: Scalar,
}

#[allow(clippy::large_enum_variant, reason = "there are few of them, and their weights are elsewhere")]
#[derive(Module, Debug)]
enum Layer {
    Conv(Conv2d),
    Norm(GroupNorm),
    Activation(Nothing),
}

/// The place of an activation, which is computed with the normalisation before it.
#[derive(Module, Debug)]
struct Nothing {}

impl Judge {
    /// A network with random weights.
    pub fn new(config: &JudgeConfig, device: &Device) -> Self {
        let JudgeConfig { section: JudgeSection { channels, side, size }, text_encoder } = config;
        let same = |channels| Layer::Conv(conv(channels, 3, device));
        let halved = |channels| Conv2dConfig { stride: [2, 2], ..Conv2dConfig::same(channels, 3) };
        let norm = |channels| [Layer::Norm(GroupNorm::new(channels, NORM, device)), Layer::Activation(Nothing {})];
        let last = channels[channels.len() - 1];
        let mut layers = vec![same([3, channels[0]])];
        for (&inputs, &outputs) in channels.iter().zip(channels[1..].iter().chain([&last])) {
            layers.extend(norm(inputs));
            layers.push(Layer::Conv(halved([inputs, outputs]).init(device)));
            layers.extend(norm(outputs));
            layers.push(same([outputs, outputs]));
        }
        layers.extend(norm(last));
        Self {
            text_encoder: ClipText::new(text_encoder, device),
            picture_encoder: layers,
            // The places of the last map are kept apart: left and right are to be told.
            picture_head: Linear::new(last * side * side, *size, device),
            text_head: Linear::new(text_encoder.hidden_size, *size, device),
            scale: Scalar::new(FIRST_SCALE, device),
        }
    }

    /// The vectors of pictures in `[-1, 1]` whose last map has the configuration's side.
    ///
    /// # Shapes
    /// `[batch, 3, side, side]` to `[batch, size]`.
    pub fn pictures(&self, x: Tensor<4>) -> Tensor<2> {
        let map = self.picture_encoder.iter().fold(x, |x, layer| match layer {
            Layer::Conv(conv) => conv.forward(x),
            Layer::Norm(norm) => norm.activated(x, None, Activation::Silu),
            Layer::Activation(Nothing {}) => x,
        });
        unit(self.picture_head.forward(map.flatten::<2>(1, 3)))
    }

    /// The vectors of captions of equal length, `[batch, size]`: the state at the first end token, which has read all of them.
    pub fn captions(&self, ids: &[Vec<u32>]) -> Tensor<2> {
        unit(self.text_head.forward(self.text_encoder.forward(ids).pooled))
    }

    /// What the similarity of two vectors is multiplied by, `[1]`.
    pub fn scale(&self) -> Tensor<1> {
        self.scale.val().clamp_max(MOST_SCALE).exp()
    }
}

/// Rows of length 1.
fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    x / length
}
