//! A trained network as a denoiser of clouds.

use super::{Cloud, Distribution};
use crate::backend::cpu;
use crate::denoise::ideal::Posterior;
use crate::denoise::{Branch, Branches, Denoiser, Estimate, Mixture, Prediction};
use crate::eval::{Differentiable, PulledBack, Readable};
use crate::math::{Latent, Level};
use crate::models::mlp::{LoadError, Mlp, MlpConfig};
use crate::models::{SaveError, save};
use crate::train::lambda;
use burn::tensor::{DType, Tensor, TensorData};
use std::convert::Infallible;

/// Standard deviation of the data that networks expect, about that of every data set of the lab.
const DATA_STD: f64 = 2.0;

/// Points that go through the network together: few enough for their layers to stay in the processor's cache.
pub(super) const CHUNK: usize = 1024;

/// A noisy point as a network is given it: of about unit variance at every level (Karras et al. 2022, arXiv 2206.00364,
/// equation 7, `c_in`).
pub(super) fn scaled(x: &[f64; 2], at: Level) -> [f32; 2] {
    x.map(|v| (v * input_scale(at)) as f32)
}

pub(super) fn input_scale(at: Level) -> f64 {
    1.0 / (DATA_STD * at.alpha).hypot(at.sigma)
}

/// What a network of this objective is trained to answer, at its best. It is the prediction times the root of its weight in
/// the loss, so that the network of a score is divided by sigma (Song & Ermon 2020, arXiv 2006.09011, technique 3).
pub(super) fn answer(objective: Prediction, best: &Posterior<2>, at: Level) -> [f64; 2] {
    let (a, b) = objective.target(at);
    best.x0.mix(a, &best.eps, b).scale(lambda(objective, at).sqrt())
}

/// Rows of the class embedding of a network for this distribution: none where there is but one class.
pub(super) fn class_rows(distribution: &Distribution) -> usize {
    if distribution.classes() > 1 { distribution.classes() } else { 0 }
}

/// A trained network.
#[derive(Clone, Debug)]
pub struct Learned {
    net: Mlp,
    objective: Prediction,
    /// The mean of the data, and of each class: all that is known of a point at pure noise.
    centre: [f64; 2],
    centres: Vec<[f64; 2]>,
}

impl Learned {
    /// `net` lies on the processor and was trained for `objective` on points of `distribution`.
    pub(super) fn new(net: Mlp, objective: Prediction, distribution: &Distribution) -> Self {
        let noise = Level { t: 0.0, alpha: 0.0, sigma: 1.0 };
        let centre = |distribution: &Mixture<2>| distribution.posterior(&[0.0; 2], noise).x0;
        let centres =
            (0..net.config().num_class_embeds).filter_map(|class| distribution.only(class)).map(centre).collect();
        Self { net, objective, centre: centre(distribution.mixture()), centres }
    }

    /// The network of `config`, JSON with the number of its layers and their width, with `weights`, the bytes of a
    /// safetensors file, as it was trained for `objective` on points of `distribution`.
    ///
    /// # Errors
    /// A configuration that cannot be built; weights that are damaged or belong to another configuration or to other data.
    pub fn load(
        config: &str,
        weights: &[u8],
        objective: Prediction,
        distribution: &Distribution,
    ) -> Result<Self, LoadError> {
        let config = MlpConfig { num_class_embeds: class_rows(distribution), ..MlpConfig::from_json(config)? };
        Ok(Self::new(Mlp::with_weights(&config, weights, &cpu::device())?, objective, distribution))
    }

    /// The configuration that [`load`](Self::load) reads.
    pub fn config(&self) -> String {
        serde_json::json!(self.net.config()).to_string()
    }

    /// The weights as a safetensors file.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn weights(&self) -> Result<Vec<u8>, SaveError> {
        cpu::now(save(&self.net, |_| DType::F32))
    }

    /// The model asked for a class, or for none.
    pub fn conditioned(&self, class: Option<usize>) -> ConditionedOn<'_> {
        ConditionedOn { model: self, class: class.filter(|class| *class < self.centres.len()) }
    }

    /// The estimates of `x_0`.
    fn estimates(&self, points: &[[f64; 2]], class: Option<usize>, at: Level) -> Vec<[f64; 2]> {
        if at.alpha == 0.0 {
            let centre = class.map_or(self.centre, |class| self.centres[class]);
            return vec![centre; points.len()];
        }
        let device = cpu::device();
        let chunk = |points: &[[f64; 2]]| {
            let n = points.len();
            let x = points.iter().flat_map(|x| scaled(x, at)).collect();
            let x = Tensor::from_data(TensorData::new(x, [n, 2]), &device);
            let output = cpu::read(self.net.forward(x, &vec![at.nsr().ln(); n], &vec![class; n]));
            let (c_skip, c_out) = self.coefficients(at);
            let estimate = |(x, f): (&[f64; 2], &[f32; 2])| x.mix(c_skip, &f.map(f64::from), c_out);
            points.iter().zip(output.as_chunks().0).map(estimate).collect::<Vec<_>>()
        };
        points.chunks(CHUNK).flat_map(chunk).collect()
    }

    /// `(c_skip, c_out)` with `x_0 = c_skip x + c_out answer`.
    fn coefficients(&self, at: Level) -> (f64, f64) {
        let (c_skip, c_out) = self.objective.coefficients(at);
        (c_skip, c_out / lambda(self.objective, at).sqrt())
    }
}

/// A trained network asked for a class, or for none.
#[derive(Clone, Copy, Debug)]
pub struct ConditionedOn<'a> {
    model: &'a Learned,
    class: Option<usize>,
}

impl Denoiser<Cloud> for ConditionedOn<'_> {
    fn denoise(&self, x: &Cloud, at: Level) -> Cloud {
        Cloud(self.model.estimates(&x.0, self.class, at))
    }
}

impl Branches<Cloud> for ConditionedOn<'_> {
    fn branches(&self, x: &Cloud, at: Level, which: &[Branch]) -> Vec<Estimate<Cloud>> {
        let conditioned = |branch: &Branch| match branch {
            Branch::Conditional => *self,
            Branch::Unconditional | Branch::Negative => self.model.conditioned(None),
        };
        which.iter().map(|branch| conditioned(branch).estimate(x, at)).collect()
    }
}

impl Readable for ConditionedOn<'_> {
    type Error = Infallible;

    fn dimensions(&self) -> usize {
        2
    }

    fn denoise(&self, x: &[f64], at: Level) -> Result<Vec<f64>, Infallible> {
        Ok(self.model.estimates(x.as_chunks().0, self.class, at).concat())
    }
}

impl Differentiable for ConditionedOn<'_> {
    /// One batch: the point as often as there are probes. The weights are no part of the graph.
    fn pull_back(&self, x: &[f64], at: Level, probes: &[Vec<f64>]) -> Result<PulledBack, Infallible> {
        let (n, (c_skip, c_out)) = (probes.len(), self.model.coefficients(at));
        let (points, _) = x.as_chunks::<2>();
        let input = scaled(&points[0], at).repeat(n);
        let tensor = |values: Vec<f32>| Tensor::<2>::from_data(TensorData::new(values, [n, 2]), &cpu::device());
        let input = tensor(input).autodiff().require_grad();
        let output = self.model.net.forward(input.clone(), &vec![at.nsr().ln(); n], &vec![self.class; n]);
        let weights = probes.iter().flatten().map(|v| *v as f32).collect();
        let mut gradients = (output.clone() * tensor(weights).autodiff()).sum().backward();
        let slopes = input.grad_remove(&mut gradients).unwrap_or_else(|| input.inner().zeros_like());
        // The network sees the point scaled.
        let factor = c_out * input_scale(at);
        let slopes = cpu::read(slopes);
        let product =
            |(v, slope): (&Vec<f64>, &[f32; 2])| [0, 1].map(|k| c_skip * v[k] + factor * f64::from(slope[k])).to_vec();
        let products = probes.iter().zip(slopes.as_chunks().0).map(product).collect();
        let said = cpu::read(output.inner());
        let x0 = [0, 1].map(|k| c_skip * x[k] + c_out * f64::from(said[k])).to_vec();
        Ok(PulledBack { x0, products })
    }
}
