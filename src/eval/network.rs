//! Networks as measures see them.

use super::{Differentiable, PulledBack, Readable};
use crate::backend::{self, BackendError};
use crate::denoise::Denoiser;
use crate::math::Level;
use crate::models::{NetworkDenoiser, Pretrained};
use burn::tensor::{Device, Tensor, TensorData};
use thiserror::Error;

/// A model's pictures as flat lists of `channels * height * width` numbers, all asked for with one label. The estimate
/// is the one that the samplers see without guidance: clipped, if the model's card says so.
pub struct Pictures<'a> {
    model: &'a Pretrained,
    label: Option<usize>,
    device: &'a Device,
}

/// A label that the model does not know.
#[derive(Debug, Error)]
pub enum NoLabel {
    #[error("Class {got} was asked for, but this model has {known} classes.")]
    Unknown { got: usize, known: usize },
    #[error("This model was never trained without a label; name a class.")]
    Needed,
}

impl<'a> Pictures<'a> {
    /// Every picture with the class `label`, or with none.
    ///
    /// # Errors
    /// A class that the model does not have; no class for a model that needs one.
    pub fn new(model: &'a Pretrained, label: Option<usize>, device: &'a Device) -> Result<Self, NoLabel> {
        let known = model.classes();
        match label {
            Some(got) if got >= known => Err(NoLabel::Unknown { got, known }),
            None if known > 0 && model.card.null_class.is_none() => Err(NoLabel::Needed),
            _ => Ok(Self { model, label, device }),
        }
    }

    /// The model as the samplers see it, for a batch of this size.
    pub fn denoiser(&self, images: usize) -> NetworkDenoiser<'a> {
        NetworkDenoiser::new(self.model, &vec![self.label; images], 1.0)
    }

    /// `values`, picture after picture, on the device.
    pub fn upload(&self, values: &[f64]) -> Tensor<4> {
        let [channels, height, width] = self.model.shape();
        let shape = [values.len() / self.dimensions(), channels, height, width];
        let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// The values of `pictures`; waits for the device.
    ///
    /// # Errors
    /// The device failed.
    pub fn download(&self, pictures: Tensor<4>) -> Result<Vec<f64>, BackendError> {
        Ok(pollster::block_on(backend::read(pictures))?.into_iter().map(f64::from).collect())
    }
}

impl Readable for Pictures<'_> {
    type Error = BackendError;

    fn dimensions(&self) -> usize {
        self.model.shape().iter().product()
    }

    fn denoise(&self, x: &[f64], at: Level) -> Result<Vec<f64>, BackendError> {
        let x = self.upload(x);
        let [images, ..] = x.dims();
        self.download(self.denoiser(images).denoise(&x, at))
    }
}

impl Differentiable for Pictures<'_> {
    /// One batch: the picture as often as there are probes. The weights are no part of the graph, so only what the
    /// derivative by the picture needs is computed.
    fn pull_back(&self, x: &[f64], at: Level, probes: &[Vec<f64>]) -> Result<PulledBack, BackendError> {
        let x = self.upload(&x.repeat(probes.len())).autodiff().require_grad();
        let x0 = self.denoiser(probes.len()).denoise(&x, at);
        let mut gradients = (x0.clone() * self.upload(&probes.concat())).sum().backward();
        let products = x.grad_remove(&mut gradients).unwrap_or_else(|| x.clone().inner().zeros_like());
        let n = self.dimensions();
        let values = self.download(Tensor::cat(vec![x0.inner().narrow(0, 0, 1), products], 0))?;
        let (x0, products) = values.split_at(n);
        let products = products.chunks_exact(n).map(<[f64]>::to_vec).collect();
        Ok(PulledBack { x0: x0.to_vec(), products })
    }
}
