//! The network of a pipeline, whichever it is.

use super::Pipeline;
use super::conditioning::{ClassRow, Condition, Told};
use crate::interchange::Scaled;
use crate::math::{Level, NoiseSchedule};
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
        let (inputs, [height, width]) = match self {
            Self::Unet2d(net) => (net.config().in_channels, net.config().sample_size),
            Self::Unet2dCondition(net) => (net.config().in_channels, net.config().sample_size.unwrap_or(OPEN)),
            Self::Dit(net) => (net.config().in_channels, [net.config().sample_size; 2]),
        };
        [inputs - self.hole(), height, width]
    }

    /// Channels that it is given beside what it draws: where a hole is, and latents of the picture around it. 0 for a network
    /// that fills none.
    pub fn hole(&self) -> usize {
        match self {
            Self::Unet2dCondition(net) => {
                let (inputs, outputs) = (net.config().in_channels, net.config().out_channels);
                if inputs == 2 * outputs + 1 { outputs + 1 } else { 0 }
            }
            Self::Unet2d(_) | Self::Dit(_) => 0,
        }
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
            Self::Unet2d(net) => net.config().classes(),
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
            (Self::Unet2d(net), Condition::Between(rows)) => {
                let device = x.device();
                let states = |rows: &[usize]| net.class_states(rows, &device).expect("a network with classes");
                net.forward_conditioned(x, t, None, Some(mean(rows, states)))
            }
            (Self::Dit(net), Condition::Classes(rows)) => net.forward(x, t, rows),
            (Self::Dit(net), Condition::Between(rows)) => net.forward_with(x, t, &|label| mean(rows, label)),
            (Self::Unet2dCondition(net), Condition::Text { told, .. }) => {
                let Told { states, added, guidance, .. } = &**told;
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

impl Pipeline {
    /// What the network says of `x` `[batch, channels, height, width]`, each image at its own level, and of its own class where
    /// the condition says classes: its output or, where it is [scaled](crate::interchange::Scalings), its estimate of `x_0`. A network that fills
    /// holes takes them as further channels; without them all is to be made anew.
    pub fn output(&self, x: Tensor<4>, levels: &[Level], condition: &Condition) -> Tensor<4> {
        self.output_recorded(x, levels, condition, None)
    }

    /// The same, with a recorder of where attention to a text looks.
    pub fn output_recorded(
        &self,
        x: Tensor<4>,
        levels: &[Level],
        condition: &Condition,
        recorder: Option<&Recorder<'_>>,
    ) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let device = x.device();
        let scaled: Option<Vec<Scaled>> =
            self.scalings.map(|scalings| levels.iter().map(|at| scalings.at(at.nsr())).collect());
        let each = |of: fn(&Scaled) -> f64| -> Option<Tensor<4>> {
            let values: Vec<f32> = scaled.as_ref()?.iter().map(|at| of(at) as f32).collect();
            Some(Tensor::from_data(TensorData::new(values, [batch, 1, 1, 1]), &device))
        };
        let times: Vec<f64> = match &scaled {
            Some(scaled) => scaled.iter().map(|at| at.t).collect(),
            None => levels.iter().map(|&at| self.schedule.conditioning_time(at)).collect(),
        };
        let input = match (each(|at| at.input), each(|at| at.shift)) {
            (Some(scale), Some(shift)) => x.clone() * scale + shift,
            _ => x.clone(),
        };
        let missing = self.shape()[0] + self.network.hole() - channels;
        let input = match missing {
            0 => input,
            _ => Tensor::cat(vec![input, self.blank().expand([batch, missing, height, width])], 1),
        };
        let output = self.network.forward(input, &times, condition, recorder);
        match (each(|at| at.skip), each(|at| at.output)) {
            (Some(skip), Some(scale)) => x.narrow(1, 0, self.shape()[0]) * skip + output * scale,
            _ => output,
        }
    }

    /// The hole where everything is to be made anew.
    fn blank(&self) -> Tensor<4> {
        let made = || {
            let [channels, height, width] = self.picture();
            let pictures = Tensor::zeros([1, channels, height, width], &self.device);
            self.hole(Tensor::ones([1, 1, height, width], &self.device), self.latents.encode(pictures))
        };
        self.blank.get_or_init(made).clone()
    }

    /// What a network that fills holes is given: `mask`, which is 1 where a pixel is to be made anew, and the latents of the
    /// picture around it.
    ///
    /// # Shapes
    /// `mask` `[batch, 1, height, width]` of the picture, `around` `[batch, channels, ..]` of sample space.
    pub fn hole(&self, mask: Tensor<4>, around: Tensor<4>) -> Tensor<4> {
        let factor = self.latents.factor();
        let [batch, _, rows, columns] = around.dims();
        // A place is in the hole where its first pixel is.
        let places = mask.reshape([batch * rows, factor, columns, factor]).narrow(1, 0, 1).narrow(3, 0, 1);
        Tensor::cat(vec![places.reshape([batch, 1, rows, columns]), around], 1)
    }
}

/// The means of rows of a class embedding, whose states `of` gives.
fn mean(rows: &[ClassRow], of: impl Fn(&[usize]) -> Tensor<2>) -> Tensor<2> {
    let each = |row: fn(&ClassRow) -> usize| rows.iter().map(row).collect::<Vec<_>>();
    let (own, other) = (of(&each(|row| row.class)), of(&each(|row| row.towards)));
    let shares = TensorData::new(rows.iter().map(|row| row.share).collect::<Vec<_>>(), [rows.len(), 1]);
    let share = Tensor::<2>::from_data(shares, &own.device());
    own * (-share.clone() + 1.0) + other * share
}

/// diffusers' `get_guidance_scale_embedding` of `scale - 1`: sines and cosines of a thousand times it.
fn guidance_embedding(scale: f64, width: usize) -> Vec<f32> {
    let half = width / 2;
    let angle = |i: usize| 1000.0 * (scale - 1.0) * (-(1e4f64.ln()) * i as f64 / (half - 1) as f64).exp();
    let sines = (0..half).map(|i| angle(i).sin());
    let row = sines.chain((0..half).map(|i| angle(i).cos())).chain((2 * half..width).map(|_| 0.0));
    row.map(|v| v as f32).collect()
}
