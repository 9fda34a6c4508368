//! Networks as measures see them.

use super::{
    Bound, Decoder, Differentiable, Inversion, Likelihood, LogDensity, OdeError, Probes, PulledBack, Readable,
    Variance, bound, invert, pixels, standard_normal,
};
use crate::backend::{self, BackendError, ImageNoise};
use crate::denoise::Denoiser;
use crate::math::{Grid, Level, TorchGenerator};
use crate::pipeline::{Condition, Conditioning, Conditions, NetworkBranches, NetworkDenoiser, Pipeline};
use crate::samplers::{Method, Run};
use crate::words::count;
use burn::tensor::{Device, Tensor, TensorData};
use thiserror::Error;

/// What a model draws as flat lists of `channels * height * width` numbers, all with one label or one prompt. The estimate
/// is the one that the samplers see without guidance: clipped, if the model's card says so.
pub struct Pictures<'a> {
    model: &'a Pipeline,
    subject: Subject,
    device: &'a Device,
}

/// What every picture is conditioned on.
enum Subject {
    Label(Option<usize>),
    Text(Condition),
}

/// A label that the model does not know, or a model that is not measured.
#[derive(Debug, Error)]
pub enum NoLabel {
    #[error("There is no class {got}: this model has {}.", count(*.known, "class"))]
    Unknown { got: usize, known: usize },
    #[error("This model was never trained without a label; name a class.")]
    Needed,
    #[error(
        "This model draws latents, and their density is none of pictures, whose details the autoencoder leaves out; measure a model of pictures."
    )]
    Latents,
}

impl<'a> Pictures<'a> {
    /// Every picture with the class `label`, or with none.
    ///
    /// # Errors
    /// A class that the model does not have; no class for a model that needs one; a model of latents.
    pub fn new(model: &'a Pipeline, label: Option<usize>, device: &'a Device) -> Result<Self, NoLabel> {
        if model.is_latent() { Err(NoLabel::Latents) } else { Self::or_latents(model, label, device) }
    }

    /// The same, or latents, which can be taken to noise and back, but whose density is not that of pictures.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn or_latents(model: &'a Pipeline, label: Option<usize>, device: &'a Device) -> Result<Self, NoLabel> {
        let known = model.classes();
        match label {
            Some(got) if got >= known => Err(NoLabel::Unknown { got, known }),
            None if known > 0 && model.card.null_class.is_none() => Err(NoLabel::Needed),
            _ => Ok(Self { model, subject: Subject::Label(label), device }),
        }
    }

    /// Every picture of this prompt, where the model reads texts.
    #[must_use]
    pub fn of_prompt(self, prompt: &str) -> Self {
        match &self.model.conditioning {
            Conditioning::Text(encoders) => Self { subject: Subject::Text(encoders.encode(prompt)), ..self },
            _ => self,
        }
    }

    /// The model as the samplers see it, for a batch of this size.
    pub fn denoiser(&self, images: usize) -> NetworkDenoiser<'a> {
        match &self.subject {
            Subject::Label(label) => NetworkDenoiser::new(self.model, &vec![*label; images], 1.0),
            Subject::Text(text) => {
                let conditions = Conditions { conditional: text.clone(), unconditional: None, negative: None };
                NetworkBranches::new(self.model, conditions).guided(1.0)
            }
        }
    }

    /// `values` of sample space, one sample after the other, on the device.
    pub fn upload(&self, values: &[f64]) -> Tensor<4> {
        self.upload_as(values, self.model.shape())
    }

    fn upload_as(&self, values: &[f64], [channels, height, width]: [usize; 3]) -> Tensor<4> {
        let shape = [values.len() / (channels * height * width), channels, height, width];
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

/// The log density of a picture, and what it comes to a dimension.
#[derive(Clone, Debug)]
pub struct Found {
    pub density: LogDensity,
    pub bits_per_dimension: f64,
    /// Standard error of the bits from the choice of probes; `None` for a single one.
    pub error: Option<f64>,
}

/// A picture that was taken to noise and back.
#[derive(Clone, Debug)]
pub struct RoundTrip {
    /// The noise that a sampler turns into the picture, at the grid's first level.
    pub latent: Vec<f64>,
    /// The picture that the sampler makes of it.
    pub back: Vec<f64>,
    /// What the autoencoder of a model of latents alone makes of the picture.
    pub decoded: Option<Vec<f64>>,
}

impl Pictures<'_> {
    /// The likelihood of a `picture` with values in the range of the model's card, dequantised with a generator of `seed`
    /// and with so many `probes` of the same seed. `watch` gets the share of the way that is done.
    ///
    /// # Errors
    /// The device failed; the solver found no end.
    pub fn likelihood(
        &self,
        run: &Likelihood<'_>,
        picture: &[f64],
        (seed, probes): (u64, usize),
        watch: &mut dyn FnMut(f64),
    ) -> Result<Found, OdeError<BackendError>> {
        let (n, range) = (self.dimensions(), self.model.card.range);
        let y = pixels::dequantise(picture, range, &mut TorchGenerator::new(seed));
        let probes = Probes::rademacher(seed, probes, n);
        let density = run.log_density(self, &y, &probes, standard_normal, watch)?;
        Ok(Found {
            bits_per_dimension: pixels::bits_per_dimension_of_density(density.nats(), n, range),
            error: density.standard_error().map(|nats| pixels::bits_per_dimension(nats, n)),
            density,
        })
    }

    /// One draw of the variational bound of each of `pictures`, whose values are in the range of the model's card; picture
    /// `i` has the noise of the seed `seed + i`.
    ///
    /// # Errors
    /// The device failed.
    pub fn bound(
        &self,
        pictures: &[Vec<f64>],
        grid: &Grid,
        variance: Variance,
        seed: u32,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Vec<Bound>, BackendError> {
        let decoder = Decoder::Pixels { range: self.model.card.range };
        let mut generators = TorchGenerator::per_image(seed.into(), pictures.len());
        let mut noise = |i: usize, n| generators[i].randn_f64(n);
        bound(self, pictures, grid, (variance, decoder), &mut noise, watch)
    }

    /// Takes a picture to noise along `grid`, and back by the deterministic `sampler`. `None` for a sampler that takes
    /// fresh noise or chooses its own steps, or a grid without steps.
    ///
    /// # Errors
    /// The device failed.
    pub fn round_trip(
        &self,
        picture: &[f64],
        grid: &Grid,
        inversion: Inversion,
        sampler: &Method<Tensor<4>>,
    ) -> Result<Option<RoundTrip>, BackendError> {
        let Some(steps) = sampler.on_grid().filter(|_| !sampler.stochastic) else {
            return Ok(None);
        };
        let network = self.denoiser(1);
        let latents = &self.model.latents;
        let x = latents.encode(self.upload_as(picture, self.model.picture()));
        let decoded = self.model.is_latent().then(|| self.download(latents.decode(x.clone()))).transpose()?;
        let start = invert(x, grid, &network, inversion);
        let latent = self.download(start.clone())?;
        let mut noise = ImageNoise::new(0, 1);
        let run = Run::new(start, grid, &self.model.schedule, &network, &mut noise);
        let Some(end) = steps(run).last() else { return Ok(None) };
        Ok(Some(RoundTrip { latent, back: self.download(latents.decode(end.x))?, decoded }))
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
