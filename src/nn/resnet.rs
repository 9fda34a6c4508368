use super::{Activation, GroupNorm, Linear, Norm, conv};
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use serde::Deserialize;

/// How a residual block takes up the conditioning vector (`resnet_time_scale_shift`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeNorm {
    /// It is added between the convolutions (Ho et al. 2020, arXiv 2006.11239, appendix B).
    Default,
    /// It scales and shifts the second normalisation (Nichol & Dhariwal 2021, arXiv 2102.09672, appendix A).
    ScaleShift,
}

/// What a residual block is built from.
#[derive(Clone, Copy, Debug)]
pub struct ResnetConfig {
    pub norm: Norm,
    pub activation: Activation,
    /// Width of the conditioning vector; `None` for a block without one.
    pub embedding: Option<usize>,
    pub time_norm: TimeNorm,
    /// What the sum with the input is divided by.
    pub output_scale_factor: f64,
}

/// diffusers' `ResnetBlock2D`: a residual block of two normalised convolutions.
#[derive(Module, Debug)]
pub struct ResnetBlock2d {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
    #[module(skip)]
    config: ResnetConfig,
}

impl ResnetBlock2d {
    pub fn new([inputs, outputs]: [usize; 2], config: &ResnetConfig, device: &Device) -> Self {
        let projected = match config.time_norm {
            TimeNorm::Default => outputs,
            TimeNorm::ScaleShift => 2 * outputs,
        };
        Self {
            norm1: GroupNorm::new(inputs, config.norm, device),
            conv1: conv([inputs, outputs], 3, device),
            time_emb_proj: config.embedding.map(|width| Linear::new(width, projected, device)),
            norm2: GroupNorm::new(outputs, config.norm, device),
            conv2: conv([outputs, outputs], 3, device),
            conv_shortcut: (inputs != outputs).then(|| conv([inputs, outputs], 1, device)),
            config: *config,
        }
    }

    /// `emb` is the conditioning after its activation, which is the same for every block and so applied once by the
    /// caller.
    ///
    /// # Shapes
    /// `x` `[batch, in, height, width]`, `emb` `[batch, embedding]`; the result is `[batch, out, height, width]`.
    pub fn forward(&self, x: Tensor<4>, emb: Option<&Tensor<2>>) -> Tensor<4> {
        let activation = self.config.activation;
        let h = self.conv1.forward(activation.apply(self.norm1.forward(x.clone())));
        let emb = self.time_emb_proj.as_ref().zip(emb);
        let emb = emb.map(|(project, emb)| project.forward(emb.clone()).unsqueeze_dims::<4>(&[2, 3]));
        let h = match (emb, self.config.time_norm) {
            (None, _) => self.norm2.forward(h),
            (Some(emb), TimeNorm::Default) => self.norm2.forward(h + emb),
            (Some(emb), TimeNorm::ScaleShift) => {
                let [scale, shift] = emb.chunk(2, 1).try_into().expect("two halves of an even width");
                self.norm2.forward(h) * (scale + 1.0) + shift
            }
        };
        let h = self.conv2.forward(activation.apply(h));
        let x = match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        (x + h) / self.config.output_scale_factor
    }
}
