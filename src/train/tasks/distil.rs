//! To draw in a few steps what another denoiser draws in many with guidance.

use super::captioned::{Captioned, Told};
use super::{Measured, Task};
use crate::backend::BackendError;
use crate::math::Level;
use crate::models::clip_text::ClipText;
use crate::models::unet2d_condition::{Condition, Unet2dCondition};
use crate::train::objective::{diffuse, each};
use crate::train::recipe::Distillation;
use crate::train::trainer::Loss;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use std::collections::VecDeque;

/// Of the boundary condition: the standard deviation of the data, squared, and what a timestep is multiplied by (the numbers of
/// diffusers' `LCMScheduler`).
const DATA_VARIANCE: f64 = 0.25;
const TIME_SCALE: f64 = 10.0;

/// Latent consistency distillation (Luo et al. 2023, arXiv 2310.04378) with the teacher's guidance baked in: on a grid of times the
/// student's estimate of `x_0` at `t` is to be its own at the earlier time that one guided DDIM step of the teacher leads to.
pub struct Distil {
    /// What the scenes, their latents and their captions are.
    pub told: Captioned,
    /// Off the autodiff device, as nothing is learned through them.
    pub teacher: Unet2dCondition,
    pub text_encoder: ClipText,
    pub turbo: Distillation,
    /// Timesteps from one time of the grid to the next.
    pub gap: usize,
}

/// Points on trajectories, each with its level, and the states of their captions.
struct Points<'a> {
    x: Tensor<4>,
    levels: &'a [Level],
    text: Tensor<3>,
}

impl Points<'_> {
    /// One number a point, `[points, 1, 1, 1]`.
    fn each(&self, value: impl Fn(&Level) -> f64) -> Tensor<4> {
        each(self.levels.iter().map(value), &self.x.device()).reshape([-1, 1, 1, 1])
    }

    /// What a network that predicts `v` makes of `x_0`.
    fn estimate(&self, net: &Unet2dCondition) -> Tensor<4> {
        let t: Vec<f64> = self.levels.iter().map(|level| level.t).collect();
        let condition = Condition { text: self.text.clone(), class: None, added: None, guidance: None };
        let v = net.forward(self.x.clone(), &t, &condition);
        self.each(|level| level.alpha) * self.x.clone() - self.each(|level| level.sigma) * v
    }

    /// The estimate held to `x` itself near time 0.
    fn consistent(&self, net: &Unet2dCondition) -> Tensor<4> {
        let scaled = |level: &Level| TIME_SCALE * level.t;
        let sum = move |level: &Level| scaled(level).powi(2) + DATA_VARIANCE;
        let keep = self.each(|level| DATA_VARIANCE / sum(level));
        keep * self.x.clone() + self.each(|level| scaled(level) / sum(level).sqrt()) * self.estimate(net)
    }
}

impl Distil {
    /// The level one step of the grid earlier, which is clean before the first.
    fn before(&self, level: &Level) -> Level {
        match (level.t as usize).checked_sub(self.gap) {
            Some(t) => self.told.process.timestep(t),
            None => Level { t: 0.0, ..Level::CLEAN },
        }
    }

    /// The point that one guided DDIM step of the teacher leads to, and its levels.
    fn earlier(&self, points: &Points) -> (Tensor<4>, Vec<Level>) {
        let (images, empty) = (points.levels.len(), self.told.tokenizer.encode_padded("").ids);
        let none = self.text_encoder.forward(&[empty]).last;
        let [_, positions, width] = none.dims();
        let none = none.expand([images, positions, width]);
        let twice = Points {
            x: Tensor::cat(vec![points.x.clone(); 2], 0),
            levels: &points.levels.repeat(2),
            text: Tensor::cat(vec![points.text.clone(), none], 0),
        };
        let both = twice.estimate(&self.teacher);
        let (told, free) = (both.clone().narrow(0, 0, images), both.narrow(0, images, images));
        let guided = free.clone() + (told - free) * self.turbo.guidance;
        let before: Vec<Level> = points.levels.iter().map(|level| self.before(level)).collect();
        let noise =
            (points.x.clone() - points.each(|level| level.alpha) * guided.clone()) / points.each(|level| level.sigma);
        let to = Points { x: guided, levels: &before, text: points.text.clone() };
        (to.each(|level| level.alpha) * to.x.clone() + to.each(|level| level.sigma) * noise, before)
    }
}

impl Task for Distil {
    type Net = Unet2dCondition;
    type Kept = Unet2dCondition;
    type Batch = Told;

    /// The grid's times are `gap - 1`, `2 gap - 1` and so on up to the last, as `LCMScheduler` takes them.
    fn batch(&mut self, step: usize) -> Told {
        let told = self.told.batch(step);
        let on_grid = |level: &Level| self.told.process.timestep((level.t as usize / self.gap + 1) * self.gap - 1);
        Told { levels: told.levels.iter().map(on_grid).collect(), ..told }
    }

    fn loss(&self, net: &Unet2dCondition, Told { x0, eps, levels, ids }: &Told) -> Loss {
        let points = Points { x: diffuse(x0, eps, levels), levels, text: self.text_encoder.forward(ids).last };
        let (x, before) = self.earlier(&points);
        let earlier = Points { x, levels: &before, text: points.text.clone() };
        // Where the step leads to the clean picture, that is the target. Nothing is learned through it.
        let consistent = earlier.consistent(net).inner();
        let ends = points.each(|level| if (level.t as usize) < self.gap { 1.0 } else { 0.0 });
        let target = ends.clone() * earlier.x.clone() + (ends * -1.0 + 1.0) * consistent;
        let square = (points.consistent(net) - target).powi_scalar(2).flatten::<2>(1, 3);
        let error: Tensor<1> = square.mean_dim(1).squeeze_dim(1);
        let huber = self.turbo.huber;
        // Pseudo-Huber (Song & Dhariwal 2023, arXiv 2310.14189, section 3.3).
        let descended = ((error.clone() + huber * huber).sqrt() - huber).mean();
        Loss { descended, reported: error.mean() }
    }

    fn measure(&self, _: &Unet2dCondition, _: Option<usize>) -> Result<Option<Measured>, BackendError> {
        Ok(None)
    }

    fn kept(net: &Unet2dCondition) -> &Unet2dCondition {
        net
    }
}

/// Weights on the line from one module to another of the same shape, both off the autodiff device.
pub fn blended<M: Module>(one: M, other: &M, share: f64) -> M {
    struct Values(VecDeque<Tensor<1>>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push_back(param.val().reshape([-1]));
        }
    }
    struct Blend(Values, f64);
    impl ModuleMapper for Blend {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Self(Values(others), share) = self;
            let Some(other) = others.pop_front() else { return param };
            let other = other.reshape(param.lazy_shape());
            param.map(|own| own * (1.0 - *share) + other * *share)
        }
    }
    let mut values = Values(VecDeque::new());
    other.visit(&mut values);
    one.map(&mut Blend(values, share))
}
