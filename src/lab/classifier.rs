//! A classifier of noisy points, trained on a distribution of the plane: it guides a model where no exact classifier is known.

use super::draws::{Noisy, noisy, stream};
use super::learn::{LearnError, trainer};
use super::learned::{CHUNK, input_scale, scaled};
use super::{Cloud, Distribution, Process};
use crate::backend::cpu;
use crate::denoise::Classifier;
use crate::math::{Latent, Level};
use crate::models::mlp::{Mlp, MlpConfig};
use crate::train::trainer::{Loss, Trainer, learning_rate};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// The network and its training, which are alike for every distribution: enough for the classes of each.
const DEPTH: usize = 3;
const WIDTH: usize = 64;
const BATCH: usize = 256;
const LR: f64 = 4e-3;
const WARMUP: usize = 50;
const EMA: f64 = 0.98;

/// Points that the held-out loss is measured on.
const HELD: usize = 512;

/// Streams of random numbers of a seed, apart from those of the denoiser.
const WEIGHTS: u64 = 3;
const STEPS: u64 = 4;
const HELD_OUT: u64 = 5;

/// A classifier in training (Dhariwal & Nichol 2021, arXiv 2105.05233, section 4.1): the cross entropy of noisy points at
/// levels from all of the clock. Every random number is a function of the seed and of the step.
pub struct ClassifierLearner {
    distribution: Distribution,
    process: Process,
    seed: u32,
    trainer: Trainer<Mlp>,
}

impl ClassifierLearner {
    /// Steps that make a classifier: it is then next to the exact one, see [`loss`](Self::loss).
    pub const ENOUGH: usize = 1000;

    /// A classifier with the starting weights of the seed; `None` for a distribution of one class, which has nothing to be told apart.
    ///
    /// # Errors
    /// More classes than a network can have.
    pub fn new(distribution: Distribution, process: Process, seed: u32) -> Result<Option<Self>, LearnError> {
        if distribution.classes() < 2 {
            return Ok(None);
        }
        let config = MlpConfig::classifier(DEPTH, WIDTH, distribution.classes())?;
        let trainer = trainer(&config, stream(seed, WEIGHTS, 0), EMA);
        Ok(Some(Self { distribution, process, seed, trainer }))
    }

    /// Whether this is in training for that distribution, process and seed.
    pub fn is_for(&self, distribution: &Distribution, process: &Process, seed: u32) -> bool {
        self.distribution == *distribution && self.process == *process && self.seed == seed
    }

    /// Trains `steps` steps further, but not beyond [`ENOUGH`](Self::ENOUGH).
    pub fn train(&mut self, steps: usize) {
        let device = cpu::device().autodiff();
        for _ in 0..steps.min(Self::ENOUGH - self.steps()) {
            let step = self.steps();
            let seed = stream(self.seed, STEPS, step as u64);
            let (points, _) = noisy(&self.distribution, &self.process, BATCH, seed);
            self.trainer.step(LR * learning_rate(step, WARMUP, Self::ENOUGH), |net| {
                let loss = cross_entropy(net, &points, &device);
                Loss { reported: loss.clone(), descended: loss }
            });
        }
    }

    /// Steps done.
    pub fn steps(&self) -> usize {
        self.trainer.steps()
    }

    /// The cross entropy in nats on points that are never trained on, always the same with the same noise: of the averaged
    /// weights, and of the exact classifier, which no network beats but by chance.
    pub fn loss(&self) -> (f64, f64) {
        let (held, _) = noisy(&self.distribution, &self.process, HELD, stream(self.seed, HELD_OUT, 0));
        let net = cross_entropy(&self.trainer.averaged(0), &held, &cpu::device());
        let exact = held.iter().map(|p| -self.distribution.at(p.at).log_posterior(p.class.into(), &p.x)).sum::<f64>();
        (f64::from(cpu::read(net)[0]), exact / HELD as f64)
    }

    /// The classifier of the averaged weights.
    pub fn learned(&self) -> LearnedClassifier {
        LearnedClassifier(self.trainer.averaged(0))
    }
}

/// The mean of `-ln p(y | x_t)`, `[1]`.
fn cross_entropy(net: &Mlp, points: &[Noisy], device: &Device) -> Tensor<1> {
    let n = points.len();
    let x = points.iter().flat_map(|p| scaled(&p.x, p.at)).collect();
    let x = Tensor::<2>::from_data(TensorData::new(x, [n, 2]), device);
    let log_nsr: Vec<_> = points.iter().map(|p| p.at.nsr().ln()).collect();
    let labels = points.iter().map(|p| i32::from(p.class)).collect();
    let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [n, 1]), device);
    log_softmax(net.forward(x, &log_nsr, &vec![None; n]), 1).gather(1, labels).mean().neg()
}

/// A trained classifier.
#[derive(Clone, Debug)]
pub struct LearnedClassifier(Mlp);

impl LearnedClassifier {
    /// The classifier asked for a class.
    ///
    /// # Panics
    /// If it knows no such class.
    pub fn towards(&self, class: usize) -> LearnedTowards<'_> {
        assert!(class < self.0.config().outputs, "the classifier knows {} classes", self.0.config().outputs);
        LearnedTowards { classifier: self, class }
    }
}

/// A trained classifier asked for a class.
#[derive(Clone, Copy, Debug)]
pub struct LearnedTowards<'a> {
    classifier: &'a LearnedClassifier,
    class: usize,
}

impl Classifier<Cloud> for LearnedTowards<'_> {
    /// By differentiating the network. The weights are no part of the graph.
    fn gradient(&self, x: &Cloud, at: Level) -> Cloud {
        let chunk = |x: &[[f64; 2]]| {
            let n = x.len();
            let points = x.iter().flat_map(|x| scaled(x, at)).collect();
            let points = Tensor::<2>::from_data(TensorData::new(points, [n, 2]), &cpu::device());
            let points = points.autodiff().require_grad();
            let logits = self.classifier.0.forward(points.clone(), &vec![at.nsr().ln(); n], &vec![None; n]);
            let mut gradients = log_softmax(logits, 1).narrow(1, self.class, 1).sum().backward();
            let slopes = points.grad_remove(&mut gradients).unwrap_or_else(|| points.inner().zeros_like());
            // The network sees the points scaled.
            Cloud::from_f32(&cpu::read(slopes)).scale(input_scale(at)).0
        };
        Cloud(x.0.chunks(CHUNK).flat_map(chunk).collect())
    }
}
