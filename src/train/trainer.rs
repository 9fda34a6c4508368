//! A step of training, for any module and any loss.

use super::vector;
use crate::backend::{self, BackendError};
use burn::module::Module;
use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Tensor, TensorData};

/// What a step does with a gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Decay of the averages of the gradient and of its square.
    pub betas: [f64; 2],
    /// Share of the learning rate by which weights shrink each step (Loshchilov & Hutter 2019, arXiv 1711.05101).
    pub weight_decay: f64,
    /// Largest norm of the whole gradient; a longer one is shortened to it.
    pub clip: f64,
    /// Decays per step of the averages of weights that are kept.
    pub ema_decays: Vec<f64>,
}

/// The loss of a batch, both `[1]`.
pub struct Loss {
    /// What is differentiated.
    pub descended: Tensor<1>,
    /// What is said of it: the same without the weights of a batch's images.
    pub reported: Tensor<1>,
}

/// A module in training: AdamW (as torch has it, epsilon 1e-8) on the clipped gradient, and averages of the weights.
///
/// It owns no data, clock, file or thread and waits for nothing: what a step returns stays on the device until the caller
/// reads it. So the command line and a page can drive the same one.
pub struct Trainer<M> {
    module: M,
    options: Options,
    adamw: AdamW,
    weights: Tensor<1>,
    moments: AdamWState<1>,
    averages: Vec<Tensor<1>>,
}

/// The numbers that a trainer continues from.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps done.
    pub step: usize,
    pub weights: Vec<f32>,
    /// Averages of the gradient and of its square.
    pub moments: [Vec<f32>; 2],
    /// The averages of the weights, in the order of [`Options::ema_decays`].
    pub averages: Vec<Vec<f32>>,
}

impl<M: Module> Trainer<M> {
    /// `module` has parameters and lies on an autodiff device.
    pub fn new(module: M, options: Options) -> Self {
        let weights = vector::of(&module);
        let zeros = weights.zeros_like();
        let momentum = AdaptiveMomentumState { time: 0, moment_1: zeros.clone(), moment_2: zeros, max_moment_2: None };
        let adamw = AdamWConfig::new()
            .with_beta_1(options.betas[0] as f32)
            .with_beta_2(options.betas[1] as f32)
            .with_weight_decay(options.weight_decay as f32)
            .with_epsilon(1e-8)
            .build();
        Self {
            module,
            adamw,
            averages: vec![weights.clone(); options.ema_decays.len()],
            weights,
            moments: AdamWState { momentum },
            options,
        }
    }

    /// One step along the gradient of `loss` at learning rate `lr`. Returns the loss that it reports, `[1]`, from before
    /// the step.
    pub fn step(&mut self, lr: f64, loss: impl FnOnce(&M) -> Loss) -> Tensor<1> {
        let Loss { descended, reported } = loss(&self.module);
        let gradient = clipped(vector::gradient(&self.module, descended.backward()), self.options.clip);
        let step = self.steps();
        let (weights, moments) = self.adamw.step(lr, self.weights.clone(), gradient, Some(self.moments.clone()));
        self.weights = weights;
        if let Some(moments) = moments {
            self.moments = moments;
        }
        self.module = vector::tracked(self.module.clone(), &self.weights);
        for (average, &decay) in self.averages.iter_mut().zip(&self.options.ema_decays) {
            let decay = ema_decay(decay, step);
            *average = average.clone() * decay + self.weights.clone() * (1.0 - decay);
        }
        reported.inner()
    }

    /// Steps done.
    pub fn steps(&self) -> usize {
        self.moments.momentum.time
    }

    /// The module with the average of its weights that has decay number `which`, off the autodiff device.
    pub fn averaged(&self, which: usize) -> M {
        vector::plain(self.module.clone(), &self.averages[which])
    }

    /// What [`resume`](Self::resume) continues from.
    ///
    /// # Errors
    /// A device that was lost.
    pub async fn state(&self) -> Result<State, BackendError> {
        let momentum = &self.moments.momentum;
        let mut averages = Vec::new();
        for average in &self.averages {
            averages.push(backend::read(average.clone()).await?);
        }
        Ok(State {
            step: self.steps(),
            weights: backend::read(self.weights.clone()).await?,
            moments: [backend::read(momentum.moment_1.clone()).await?, backend::read(momentum.moment_2.clone()).await?],
            averages,
        })
    }

    /// The trainer where `state`, of a module of this shape with these options, left off; `None` where it is of another.
    pub fn resume(self, state: State) -> Option<Self> {
        let (size, device) = (self.weights.dims()[0], self.weights.device());
        let tensor = |values: Vec<f32>| {
            (values.len() == size).then(|| Tensor::<1>::from_data(TensorData::new(values, [size]), &device))
        };
        let State { step, weights, moments: [first, second], averages } = state;
        let weights = tensor(weights)?;
        let averages: Vec<_> = averages.into_iter().map(tensor).collect::<Option<_>>()?;
        let momentum = AdaptiveMomentumState {
            time: step,
            moment_1: tensor(first)?,
            moment_2: tensor(second)?,
            max_moment_2: None,
        };
        (averages.len() == self.averages.len()).then(|| Self {
            module: vector::tracked(self.module, &weights),
            weights,
            moments: AdamWState { momentum },
            averages,
            ..self
        })
    }
}

/// The gradient, no longer than `most`: all of it is scaled by one factor (Pascanu et al. 2013, arXiv 1211.5063,
/// algorithm 1).
pub fn clipped(gradient: Tensor<1>, most: f64) -> Tensor<1> {
    let norm = gradient.clone().square().sum().sqrt();
    let factor = (norm.add_scalar(1e-6).recip() * most).clamp_max(1.0);
    gradient * factor
}

/// How much of an average of weights is kept in step `step`, counted from 0: `decay` once there is enough to average over.
pub fn ema_decay(decay: f64, step: usize) -> f64 {
    decay.min((1 + step) as f64 / (10 + step) as f64)
}

/// A linear warm-up to 1 over the first `warmup` of `steps` steps, then half a cosine down to 0 (Loshchilov & Hutter 2017,
/// arXiv 1608.03983, equation 5).
pub fn learning_rate(step: usize, warmup: usize, steps: usize) -> f64 {
    if step < warmup {
        return (step + 1) as f64 / warmup as f64;
    }
    let done = (step - warmup) as f64 / steps.saturating_sub(warmup).max(1) as f64;
    0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}
