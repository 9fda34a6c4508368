use super::{Activation, Conv2d, GroupNorm, Linear, Norm, Resampling, conv};
use burn::module::Module;
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
    /// Groups of the two normalisations.
    pub groups: [usize; 2],
    pub eps: f64,
    pub activation: Activation,
    /// Width of the conditioning vector; `None` for a block without one.
    pub embedding: Option<usize>,
    pub time_norm: TimeNorm,
    /// What the sum with the input is divided by.
    pub output_scale_factor: f64,
    /// What the block does to the size of the picture. One that filters always has a convolution beside the others.
    pub resampling: Option<Resampling>,
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
        let [first, second] = config.groups.map(|groups| Norm { groups, eps: config.eps });
        let joins = inputs != outputs || config.resampling.is_some_and(Resampling::is_fir);
        Self {
            norm1: GroupNorm::new(inputs, first, device),
            conv1: conv([inputs, outputs], 3, device),
            time_emb_proj: config.embedding.map(|width| Linear::new(width, projected, device)),
            norm2: GroupNorm::new(outputs, second, device),
            conv2: conv([outputs, outputs], 3, device),
            conv_shortcut: joins.then(|| conv([inputs, outputs], 1, device)),
            config: *config,
        }
    }

    /// `emb` is the conditioning after its activation, which is the same for every block and so applied once by the
    /// caller.
    ///
    /// # Shapes
    /// `x` `[batch, in, height, width]`, `emb` `[batch, embedding]`; the result is `[batch, out, height, width]`, of half or
    /// twice the height and width where the block resamples.
    pub fn forward(&self, x: Tensor<4>, emb: Option<&Tensor<2>>) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let size = self.config.resampling.map_or([height, width], |resampling| resampling.size([height, width]));
        self.forward_to(x, emb, size)
    }

    /// The same where the block enlarges to `size`, which is twice the input's, or one less where that was odd.
    pub fn forward_to(&self, x: Tensor<4>, emb: Option<&Tensor<2>>, size: [usize; 2]) -> Tensor<4> {
        let activation = self.config.activation;
        let h = self.norm1.activated(x.clone(), None, activation);
        let (x, h) = match self.config.resampling {
            Some(resampling) => (resampling.apply(x, size), resampling.apply(h, size)),
            None => (x, h),
        };
        let h = self.conv1.forward(h);
        let emb = self.time_emb_proj.as_ref().zip(emb);
        let emb = emb.map(|(project, emb)| project.forward(emb.clone()));
        let h = match (emb, self.config.time_norm) {
            (emb, TimeNorm::Default) => self.norm2.activated(h, emb, activation),
            (None, TimeNorm::ScaleShift) => self.norm2.activated(h, None, activation),
            (Some(emb), TimeNorm::ScaleShift) => {
                let parts = emb.unsqueeze_dims::<4>(&[2, 3]).chunk(2, 1);
                let [scale, shift] = parts.try_into().expect("two halves of an even width");
                activation.apply(self.norm2.forward(h) * (scale + 1.0) + shift)
            }
        };
        let x = match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        let sum = self.conv2.forward_onto(h, x);
        let factor = self.config.output_scale_factor;
        if factor == 1.0 { sum } else { sum / factor }
    }
}
