//! What networks are trained to do with a batch of labelled pictures.

use super::guidance::Guidance;
use super::{Measured, Task, cross_entropy};
use crate::backend::{self, BackendError};
use crate::dataset::Split;
use crate::denoise::Prediction;
use crate::math::{Level, TorchGenerator};
use crate::models::classifier::NoisyClassifier;
use crate::models::unet2d::Unet2d;
use crate::train::augment::FEATURES;
use crate::train::draws::{Batch, Distribution, Order, Stream, permutation};
use crate::train::initial;
use crate::train::objective::{diffuse, each, lambda, min_snr, squared_error};
use crate::train::recipe::Train;
use crate::train::trainer::Loss;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;

/// Pictures in one measurement.
const HELD_IMAGES: usize = 512;

/// Something to train a network for on labelled pictures.
pub trait Objective {
    /// Whether it tells pictures of one class from those of another.
    const CLASSIFIES: bool = false;

    type Net: Module;
    /// What of the network is kept when it is trained.
    type Kept: Module;

    fn loss(&self, net: &Self::Net, batch: &Batch, device: &Device) -> Loss;

    /// What a classifier says of the batch, `[images, classes]`.
    fn logits(&self, net: &Self::Net, batch: &Batch, device: &Device) -> Option<Tensor<2>>;

    fn kept(net: &Self::Net) -> &Self::Kept;
}

/// To predict the noise in a picture, or what else `prediction` names.
#[derive(Debug)]
pub struct Denoise {
    pub prediction: Prediction,
    pub min_snr_gamma: Option<f64>,
    /// What the answer is to have in it beyond the data's own.
    pub guidance: Option<Guidance>,
}

/// A denoiser in training.
#[derive(Module, Debug)]
pub struct Denoiser {
    pub unet: Unet2d,
    augment: Option<AugmentEmbedding>,
}

/// The features of augmentation as a part of the conditioning vector.
#[derive(Module, Debug)]
struct AugmentEmbedding {
    /// `[embedding, FEATURES]`.
    weight: Param<Tensor<2>>,
}

impl Denoiser {
    /// `augmented` if the pictures are, and the network is conditioned on it.
    /// The map starts from weights of `generator`.
    pub fn new(unet: Unet2d, augmented: bool, device: &Device, generator: TorchGenerator) -> Self {
        let map = || Param::from_tensor(Tensor::zeros([unet.config().time_embedding_dim, FEATURES], device));
        let augment = augmented.then(|| initial::weights(AugmentEmbedding { weight: map() }, generator));
        Self { unet, augment }
    }

    fn forward(&self, x: Tensor<4>, batch: &Batch) -> Tensor<4> {
        let t: Vec<_> = batch.levels.iter().map(|level| level.t).collect();
        let augmentation = self.augment.as_ref().zip(batch.augmentation.as_ref()).map(|(map, features)| {
            let features = TensorData::new(features.concat(), [features.len(), FEATURES]);
            Tensor::<2>::from_data(features, &x.device()).matmul(map.weight.val().transpose())
        });
        self.unet.forward_conditioned(x, &t, Some(&batch.labels), augmentation)
    }
}

impl Objective for Denoise {
    type Net = Denoiser;
    type Kept = Unet2d;

    fn loss(&self, net: &Denoiser, batch: &Batch, device: &Device) -> Loss {
        let (x0, eps) = pictures(batch, device);
        let x = diffuse(&x0, &eps, &batch.levels);
        let mut output = net.forward(x.clone(), batch);
        if let Some(guidance) = &self.guidance {
            output = output - guidance.added(&x, &batch.levels, &batch.labels);
        }
        let error = squared_error(output, &x0, &eps, &batch.levels, self.prediction);
        let mean = |weight: &dyn Fn(Level) -> f64| {
            (error.clone() * each(batch.levels.iter().map(|&level| weight(level)), device)).mean()
        };
        let reported = mean(&|level| lambda(self.prediction, level));
        let descended = match self.min_snr_gamma {
            Some(gamma) => mean(&|level| min_snr(self.prediction, gamma, level)),
            None => reported.clone(),
        };
        Loss { descended, reported }
    }

    fn logits(&self, _: &Denoiser, _: &Batch, _: &Device) -> Option<Tensor<2>> {
        None
    }

    fn kept(net: &Denoiser) -> &Unet2d {
        &net.unet
    }
}

/// To classify pictures at every noise level (Dhariwal & Nichol 2021, arXiv 2105.05233, section 4.1).
#[derive(Clone, Copy, Debug)]
pub struct Classify;

impl Objective for Classify {
    const CLASSIFIES: bool = true;
    type Net = NoisyClassifier;
    type Kept = NoisyClassifier;

    fn loss(&self, net: &NoisyClassifier, batch: &Batch, device: &Device) -> Loss {
        let loss = cross_entropy(logits(net, batch, device), &batch.labels);
        Loss { reported: loss.clone(), descended: loss }
    }

    fn logits(&self, net: &NoisyClassifier, batch: &Batch, device: &Device) -> Option<Tensor<2>> {
        Some(logits(net, batch, device))
    }

    fn kept(net: &NoisyClassifier) -> &NoisyClassifier {
        net
    }
}

fn logits(net: &NoisyClassifier, batch: &Batch, device: &Device) -> Tensor<2> {
    let (x0, eps) = pictures(batch, device);
    let t: Vec<_> = batch.levels.iter().map(|level| level.t).collect();
    net.forward(diffuse(&x0, &eps, &batch.levels), &t)
}

/// Pictures and noise on the device.
fn pictures(batch: &Batch, device: &Device) -> (Tensor<4>, Tensor<4>) {
    let tensor = |values: &Vec<f32>| Tensor::from_data(TensorData::new(values.clone(), batch.shape), device);
    (tensor(&batch.x0), tensor(&batch.eps))
}

/// An objective with the pictures that it is trained on.
pub struct Labelled<'a, O> {
    objective: O,
    split: &'a Split,
    distribution: Distribution,
    order: Order,
    train: &'a Train,
    device: &'a Device,
}

impl<'a, O: Objective> Labelled<'a, O> {
    /// There is at least one picture to see.
    pub fn new(
        objective: O,
        split: &'a Split,
        distribution: Distribution,
        train: &'a Train,
        device: &'a Device,
    ) -> Self {
        let order = Order::new(train.seed, split.seen.len());
        Self { objective, split, distribution, order, train, device }
    }
}

impl<O: Objective> Task for Labelled<'_, O> {
    type Net = O::Net;
    type Kept = O::Kept;
    type Batch = Batch;

    const CLASSIFIES: bool = O::CLASSIFIES;

    fn batch(&mut self, step: usize) -> Batch {
        let picks = self.order.picks(step, self.train.batch);
        let draws = &mut Stream::Draws.generator(self.train.seed, step as u64);
        self.distribution.batch(&self.split.seen, &picks, draws)
    }

    fn loss(&self, net: &O::Net, batch: &Batch) -> Loss {
        self.objective.loss(net, batch, self.device)
    }

    /// The loss on [`HELD_IMAGES`] held-out pictures, always the same with the same noise, and a classifier's accuracy
    /// on `most` of them at the least noisy level.
    fn measure(&self, net: &O::Net, most: Option<usize>) -> Result<Option<Measured>, BackendError> {
        let Some(held) = self.split.held.as_ref().filter(|held| !held.is_empty()) else { return Ok(None) };
        let (device, train) = (self.device, self.train);
        let mut generator = Stream::Held.generator(train.seed, 0);
        let picks = permutation(held.len(), &mut generator);
        let distribution = Distribution { augment: None, label_drop: None, ..self.distribution.clone() };
        let mut sum = 0.0;
        let few = &picks[..HELD_IMAGES.min(picks.len())];
        for picks in few.chunks(train.batch) {
            let batch = distribution.batch(held, picks, &mut generator);
            let loss = block_on(backend::read(self.objective.loss(net, &batch, device).reported))?[0];
            sum += f64::from(loss) * picks.len() as f64;
        }
        let clean = Distribution { clean_share: 1.0, ..distribution };
        let (mut right, mut classified) = (0, 0);
        for picks in picks[..most.unwrap_or(picks.len()).min(picks.len())].chunks(train.batch) {
            let batch = clean.batch(held, picks, &mut generator);
            let Some(logits) = self.objective.logits(net, &batch, device) else { break };
            right += correct(&batch.labels, &block_on(backend::read(logits))?);
            classified += picks.len();
        }
        let accuracy = (classified > 0).then(|| right as f64 / classified as f64);
        Ok(Some(Measured { loss: sum / few.len() as f64, accuracy }))
    }

    fn kept(net: &O::Net) -> &O::Kept {
        O::kept(net)
    }
}

/// How many of `labels` are the largest of their row of `logits`.
fn correct(labels: &[usize], logits: &[f32]) -> usize {
    let largest = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
    let rows = logits.chunks_exact(logits.len() / labels.len());
    labels.iter().zip(rows).filter(|(label, row)| largest(row) == Some(**label)).count()
}
