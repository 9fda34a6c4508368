//! A multilayer perceptron for points of the plane: small enough to be trained in a browser's tab.

mod config;
mod load;

pub use config::{ConfigError, MlpConfig};
pub use load::LoadError;

use crate::nn::{Linear, silu};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use std::f64::consts::PI;

/// Coordinates of a point.
const POINT: usize = 2;

/// Log noise-to-signal ratio beyond which a level is as good as clean, or as good as noise.
const LARGEST: f64 = 7.0;

/// Hidden layers of one width with SiLU between them, whose input is a point, its noise level and, where it is known, its class.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Linear>,
    out: Linear,
    #[module(skip)]
    config: MlpConfig,
}

impl Mlp {
    /// A network with random weights.
    pub fn new(config: &MlpConfig, device: &Device) -> Self {
        let width = config.width;
        let inputs = |layer| if layer == 0 { config.inputs() } else { width };
        Self {
            hidden: (0..config.depth).map(|layer| Linear::new(inputs(layer), width, device)).collect(),
            out: Linear::new(width, config.outputs, device),
            config: config.clone(),
        }
    }

    /// What the network was built from.
    pub fn config(&self) -> &MlpConfig {
        &self.config
    }

    /// # Shapes
    /// - `x`: `[points, 2]`, of about unit variance;
    /// - `log_nsr`: `[points]`, the logarithm of each point's noise-to-signal ratio `sigma / alpha`, which may be infinite;
    /// - `classes`: `[points]`, `None` for a point of no known class;
    /// - returns `[points, outputs]`.
    ///
    /// # Panics
    /// If a class is none of the network's.
    pub fn forward(&self, x: Tensor<2>, log_nsr: &[f64], classes: &[Option<usize>]) -> Tensor<2> {
        let condition = log_nsr.iter().zip(classes).flat_map(|(at, class)| self.condition(*at, *class)).collect();
        let condition = TensorData::new(condition, [log_nsr.len(), self.config.inputs() - POINT]);
        let condition = Tensor::from_data(condition, &x.device());
        let hidden = self.hidden.iter().fold(Tensor::cat(vec![x, condition], 1), |x, layer| silu(layer.forward(x)));
        self.out.forward(hidden)
    }

    /// The inputs besides the point: sines and cosines of the logarithm, of which the slowest goes through a
    /// quarter of a turn either way and the others are faster by `sqrt(2)` each, and a one in the place of the class.
    fn condition(&self, log_nsr: f64, class: Option<usize>) -> Vec<f32> {
        let MlpConfig { frequencies, num_class_embeds, .. } = self.config;
        let turn = 0.5 * PI * log_nsr.clamp(-LARGEST, LARGEST) / LARGEST;
        let waves = (0..frequencies).flat_map(|k| {
            let (sin, cos) = (turn * 2f64.powf(0.5 * k as f64)).sin_cos();
            [sin as f32, cos as f32]
        });
        let mut one_hot = vec![0.0; num_class_embeds];
        if let Some(class) = class {
            one_hot[class] = 1.0;
        }
        waves.chain(one_hot).collect()
    }
}
