//! What networks are trained to do with a batch.

use super::augment::FEATURES;
use super::draws::Batch;
use super::guidance::Guidance;
use super::initial;
use super::objective::{diffuse, each, lambda, min_snr, squared_error};
use super::trainer::Loss;
use crate::denoise::Prediction;
use crate::math::{Level, TorchGenerator};
use crate::models::classifier::NoisyClassifier;
use crate::models::unet2d::Unet2d;
use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Something to train a network for.
pub trait Task {
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

impl Task for Denoise {
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

impl Task for Classify {
    type Net = NoisyClassifier;
    type Kept = NoisyClassifier;

    /// The cross entropy.
    fn loss(&self, net: &NoisyClassifier, batch: &Batch, device: &Device) -> Loss {
        let log_p = log_softmax(logits(net, batch, device), 1);
        let labels = batch.labels.iter().map(|&label| label as i32).collect();
        let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [batch.labels.len(), 1]), device);
        let loss = log_p.gather(1, labels).mean().neg();
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
