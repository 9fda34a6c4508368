//! Training a small network on a distribution of the plane, a step at a time, so that a page can do it between two frames.

use super::draws::{Noisy, noisy, stream};
use super::learned::{Learned, answer, class_rows, scaled};
use super::{Distribution, Process, Settings};
use crate::backend::cpu;
use crate::denoise::Prediction;
use crate::math::TorchGenerator;
use crate::models::mlp::{ConfigError, Mlp, MlpConfig};
use crate::train::trainer::{Loss, Options, Trainer};
use crate::train::{initial, lambda};
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::VecDeque;
use thiserror::Error;

/// What decides the weights, besides the distribution and the process: every random number of training is a function of the seed and
/// of the step, so the same recipe gives the same weights, bit for bit, on one kind of machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// What the network learns to predict. Its loss is the mean squared error; that of a score counts `sigma^2` (Song et al.
    /// 2021, arXiv 2011.13456, equation 7).
    pub objective: Prediction,
    /// Hidden layers.
    pub depth: usize,
    /// Neurons of each.
    pub width: usize,
    /// Learning rate of Adam (Kingma & Ba 2015, arXiv 1412.6980).
    pub lr: f64,
    /// Points of a step.
    pub batch: usize,
    /// Decay per step of the average of the weights that is sampled from; 0 is the weights themselves.
    pub ema: f64,
    pub seed: u32,
}

impl From<&Settings> for Recipe {
    fn from(link: &Settings) -> Self {
        let &Settings { objective, depth, width, lr, batch, ema, train_seed: seed, .. } = link;
        Self { objective, depth, width, lr, batch, ema, seed }
    }
}

/// Why a network is not trained.
#[derive(Debug, Error)]
pub enum LearnError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("The learning rate must be a number from {} to {}, got {got}.", Settings::LR.start(), Settings::LR.end())]
    Rate { got: f64 },
    #[error("A training step takes {} to {} points, got {got}.", Settings::BATCH.start(), Settings::BATCH.end())]
    Batch { got: usize },
    #[error("The decay of the averaged weights must be a number from {} to {}, got {got}.", Settings::EMA.start(), Settings::EMA.end())]
    Decay { got: f64 },
    #[error("The loss stopped being a finite number at step {step}; lower the learning rate and start training anew.")]
    NotFinite { step: usize },
}

/// A point of the loss curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Steps done.
    pub step: usize,
    /// Mean loss of the last steps, `RECENT` at most: a function of the step, however training was cut into slices.
    pub train: f64,
    /// Loss of the averaged weights on points that are not trained on, where it was measured.
    pub held_out: Option<f64>,
}

/// Share of the labels that are kept from the network, so that it learns the distribution with and without them (Ho & Salimans 2022,
/// arXiv 2207.12598, algorithm 1). The paper's 0.1 to 0.2 serve models that mostly see a class; here the distribution of all
/// classes, which is harder to learn than that of one, is what is mostly looked at.
const LABEL_DROP: f64 = 0.5;

/// Points that the held-out loss is measured on, and the steps between two measurements.
const HELD: usize = 512;
const HELD_EVERY: usize = 50;

/// Steps that the loss of training is averaged over: that of one jumps about.
const RECENT: usize = 50;

/// Streams of random numbers of a seed.
const WEIGHTS: u64 = 0;
const STEPS: u64 = 1;
const HELD_OUT: u64 = 2;

/// A network in training.
pub struct Learner {
    recipe: Recipe,
    distribution: Distribution,
    process: Process,
    trainer: Trainer<Mlp>,
    held: Batch,
    /// The losses of the last steps.
    recent: VecDeque<f64>,
    /// The step whose loss was NaN or infinite.
    broken: Option<usize>,
}

impl Learner {
    /// A network with the starting weights of the recipe's seed.
    ///
    /// # Errors
    /// A number of the recipe that is out of its range.
    pub fn new(recipe: Recipe, distribution: Distribution, process: Process) -> Result<Self, LearnError> {
        if !Settings::LR.contains(&recipe.lr) {
            return Err(LearnError::Rate { got: recipe.lr });
        }
        if !Settings::BATCH.contains(&recipe.batch) {
            return Err(LearnError::Batch { got: recipe.batch });
        }
        if !Settings::EMA.contains(&recipe.ema) {
            return Err(LearnError::Decay { got: recipe.ema });
        }
        let config = MlpConfig::new(recipe.depth, recipe.width, class_rows(&distribution))?;
        let trainer = trainer(&config, stream(recipe.seed, WEIGHTS, 0), recipe.ema);
        let held = Batch::draw(&distribution, &process, recipe.objective, HELD, stream(recipe.seed, HELD_OUT, 0));
        Ok(Self { recipe, distribution, process, trainer, held, recent: VecDeque::new(), broken: None })
    }

    /// Trains `steps` steps further. Returns where the loss stands; with a held-out loss if one fell due.
    ///
    /// # Errors
    /// The loss stopped being a finite number, now or before.
    pub fn train(&mut self, steps: usize) -> Result<Measured, LearnError> {
        let Recipe { objective, lr, batch, seed, .. } = self.recipe;
        let device = cpu::device().autodiff();
        let mut held_out = None;
        for _ in 0..steps {
            let step = self.trainer.steps();
            if let Some(step) = self.broken {
                return Err(LearnError::NotFinite { step });
            }
            let batch =
                Batch::draw(&self.distribution, &self.process, objective, batch, stream(seed, STEPS, step as u64));
            let loss = self.trainer.step(lr, |net| {
                let loss = batch.loss(net, &device);
                Loss { reported: loss.clone(), descended: loss }
            });
            let loss = f64::from(cpu::read(loss)[0]);
            if !loss.is_finite() {
                self.broken = Some(step + 1);
                return Err(LearnError::NotFinite { step: step + 1 });
            }
            self.recent.push_back(loss);
            if self.recent.len() > RECENT {
                self.recent.pop_front();
            }
            if (step + 1).is_multiple_of(HELD_EVERY) {
                held_out = Some(self.held_out());
            }
        }
        let train = self.recent.iter().sum::<f64>() / self.recent.len().max(1) as f64;
        Ok(Measured { step: self.steps(), train, held_out })
    }

    /// Steps done.
    pub fn steps(&self) -> usize {
        self.trainer.steps()
    }

    /// The loss of the averaged weights on points that are never trained on: always the same, with the same noise.
    pub fn held_out(&self) -> f64 {
        let loss = self.held.loss(&self.trainer.averaged(0), &cpu::device());
        f64::from(cpu::read(loss)[0])
    }

    /// What an exact model loses on the same points: no network can do better but by chance.
    pub fn floor(&self) -> f64 {
        self.held.floor(&self.distribution, self.recipe.objective)
    }

    /// The model of the averaged weights.
    pub fn learned(&self) -> Learned {
        Learned::new(self.trainer.averaged(0), self.recipe.objective, &self.distribution)
    }
}

/// The training of a network of `config` from the starting weights of a seed: Adam, with one average of the weights.
pub(super) fn trainer(config: &MlpConfig, seed: u64, ema: f64) -> Trainer<Mlp> {
    let net = initial::weights(Mlp::new(config, &cpu::device().autodiff()), TorchGenerator::new(seed));
    let options = Options { betas: [0.9, 0.999], weight_decay: 0.0, clip: 1.0, ema_decays: vec![ema] };
    Trainer::new(net, options)
}

/// Noisy points, and what a network is to answer at them.
struct Batch {
    /// As the network is given them, row-major.
    x: Vec<f32>,
    log_nsr: Vec<f64>,
    classes: Vec<Option<usize>>,
    /// The answer that is trained for, row-major.
    target: Vec<f32>,
    noisy: Vec<Noisy>,
}

impl Batch {
    fn draw(distribution: &Distribution, process: &Process, objective: Prediction, n: usize, seed: u64) -> Self {
        let (noisy, mut generator) = noisy(distribution, process, n, seed);
        let dropped = generator.rand_f64(n);
        let class = |(point, dropped): (&Noisy, f64)| {
            (class_rows(distribution) > 0 && dropped >= LABEL_DROP).then(|| point.class.into())
        };
        let target = |Noisy { x0, eps, at, .. }: &Noisy| {
            let (a, b) = objective.target(*at);
            let weight = lambda(objective, *at).sqrt();
            [0, 1].map(|k| (weight * (a * x0[k] + b * eps[k])) as f32)
        };
        Self {
            x: noisy.iter().flat_map(|point| scaled(&point.x, point.at)).collect(),
            log_nsr: noisy.iter().map(|point| point.at.nsr().ln()).collect(),
            classes: noisy.iter().zip(dropped).map(class).collect(),
            target: noisy.iter().flat_map(target).collect(),
            noisy,
        }
    }

    /// The mean squared error, `[1]`.
    fn loss(&self, net: &Mlp, device: &Device) -> Tensor<1> {
        let tensor = |v: &[f32]| Tensor::<2>::from_data(TensorData::new(v.to_vec(), [v.len() / 2, 2]), device);
        let output = net.forward(tensor(&self.x), &self.log_nsr, &self.classes);
        (output - tensor(&self.target)).square().mean()
    }

    /// The same of the exact model's answers.
    fn floor(&self, distribution: &Distribution, objective: Prediction) -> f64 {
        let errors = self.noisy.iter().zip(&self.classes).zip(self.target.as_chunks::<2>().0);
        let squares = errors.map(|((Noisy { x, at, .. }, class), target)| {
            let model = class.and_then(|class| distribution.only(class)).unwrap_or(distribution.mixture());
            let exact = answer(objective, &model.posterior(x, *at), *at);
            [0, 1].map(|k| (exact[k] - f64::from(target[k])).powi(2)).iter().sum::<f64>()
        });
        squares.sum::<f64>() / (2 * self.noisy.len()) as f64
    }
}
