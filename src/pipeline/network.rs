//! The network of a pipeline, whichever it is.

use super::conditioning::{Condition, Told};
use crate::models::dit::Dit;
use crate::models::unet2d::Unet2d;
use crate::models::unet2d_condition::{self, Unet2dCondition};
use crate::nn::Recorder;
use burn::tensor::{Tensor, TensorData};

/// What tells noise from what is drawn.
#[derive(Debug)]
pub enum Network {
    Unet2d(Box<Unet2d>),
    Unet2dCondition(Box<Unet2dCondition>),
    Dit(Box<Dit>),
}

impl Network {
    /// Channels, height and width of what it draws; latents of a network that leaves its size open are 64 on each side,
    /// as diffusers takes them.
    pub fn shape(&self) -> [usize; 3] {
        const OPEN: [usize; 2] = [64, 64];
        let (channels, [height, width]) = match self {
            Self::Unet2d(net) => (net.config().in_channels, net.config().sample_size),
            Self::Unet2dCondition(net) => (net.config().in_channels, net.config().sample_size.unwrap_or(OPEN)),
            Self::Dit(net) => (net.config().in_channels, [net.config().sample_size; 2]),
        };
        [channels, height, width]
    }

    /// The least height and width that it takes, and what both are multiples of; `None` where its positions are those of one
    /// size.
    pub fn sizes(&self) -> Option<[usize; 2]> {
        let lowest = |channels: &[usize]| 1 << (channels.len() - 1);
        match self {
            // What comes from across has the size of what comes from below only where every level halves evenly.
            Self::Unet2d(net) => Some([lowest(&net.config().block_out_channels); 2]),
            Self::Unet2dCondition(net) => Some([lowest(&net.config().block_out_channels), 1]),
            Self::Dit(_) => None,
        }
    }

    /// Channels of its output: as many as it draws, or twice as many with a learned variance.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Unet2d(net) => net.config().out_channels,
            Self::Unet2dCondition(net) => net.config().out_channels,
            Self::Dit(net) => net.config().out_channels,
        }
    }

    /// The network of pictures, if it is one.
    pub fn unet2d(&self) -> Option<&Unet2d> {
        match self {
            Self::Unet2d(net) => Some(net),
            _ => None,
        }
    }

    /// Whether the guidance scale is one of its inputs, so that no branches are needed (Meng et al. 2023, arXiv 2210.03142).
    pub fn embeds_guidance(&self) -> bool {
        matches!(self, Self::Unet2dCondition(net) if net.config().time_cond_proj_dim.is_some())
    }

    /// Rows of its class embedding.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Self::Unet2d(net) => net.config().num_class_embeds,
            Self::Unet2dCondition(net) => net.config().num_class_embeds,
            Self::Dit(net) => Some(net.config().num_embeds_ada_norm + 1),
        }
    }

    /// The output at the network's own times, one an image; a `recorder` is told where attention to a text looks.
    ///
    /// # Shapes
    /// `x` `[batch, channels, height, width]`, `t` `[batch]`; the result is `[batch, outputs, height, width]`.
    ///
    /// # Panics
    /// If the condition is of another kind than it takes.
    pub fn forward(
        &self,
        x: Tensor<4>,
        t: &[f64],
        condition: &Condition,
        recorder: Option<&Recorder<'_>>,
    ) -> Tensor<4> {
        match (self, condition) {
            (Self::Unet2d(net), Condition::Nothing) => net.forward(x, t, None),
            (Self::Unet2d(net), Condition::Classes(rows)) => net.forward(x, t, Some(rows)),
            (Self::Dit(net), Condition::Classes(rows)) => net.forward(x, t, rows),
            (Self::Unet2dCondition(net), Condition::Text { told, .. }) => {
                let Told { states, added, guidance } = &**told;
                let width = net.config().time_cond_proj_dim;
                let guidance = width.zip(*guidance).map(|(width, scale)| {
                    let row = guidance_embedding(scale, width);
                    Tensor::from_data(TensorData::new(row.repeat(t.len()), [t.len(), width]), &x.device())
                });
                let condition =
                    unet2d_condition::Condition { text: states.clone(), class: None, added: added.clone(), guidance };
                net.forward_recorded(x, t, &condition, recorder)
            }
            _ => panic!("the network takes another kind of condition"),
        }
    }
}

/// diffusers' `get_guidance_scale_embedding` of `scale - 1`: sines and cosines of a thousand times it.
fn guidance_embedding(scale: f64, width: usize) -> Vec<f32> {
    let half = width / 2;
    let angle = |i: usize| 1000.0 * (scale - 1.0) * (-(1e4f64.ln()) * i as f64 / (half - 1) as f64).exp();
    let sines = (0..half).map(|i| angle(i).sin());
    let row = sines.chain((0..half).map(|i| angle(i).cos())).chain((2 * half..width).map(|_| 0.0));
    row.map(|v| v as f32).collect()
}
