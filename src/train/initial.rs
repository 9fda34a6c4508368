//! Weights to start from.

use crate::math::TorchGenerator;
use crate::models::unet2d::FOURIER_SCALE;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

/// `module` with the kind of weights that torch gives its layers, as a function of the generator alone: standard normal
/// embeddings and frequencies, and uniform numbers within `1 / sqrt(inputs)` for maps, their biases included (He et al. 2015, arXiv
/// 1502.01852, as torch calls it with `a = sqrt(5)`). Normalisations keep what they have.
pub fn weights<M: Module>(module: M, generator: TorchGenerator) -> M {
    module.map(&mut Draws { generator, containers: Vec::new(), bound: 0.0 })
}

struct Draws {
    generator: TorchGenerator,
    containers: Vec<String>,
    /// Of the last map's weights, and so of the bias that follows.
    bound: f32,
}

impl ModuleMapper for Draws {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.containers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let holder = self.containers.last().map_or("", String::as_str);
        if holder == "Struct:GroupNorm" {
            return param;
        }
        let (shape, device) = (param.lazy_shape(), param.lazy_device());
        let size = shape.num_elements();
        let values = if holder == "Struct:Embedding" {
            self.generator.randn(size)
        } else if holder == "Struct:GaussianFourierProjection" {
            self.generator.randn(size).into_iter().map(|v| v * FOURIER_SCALE as f32).collect()
        } else {
            if D > 1 {
                // Outputs come first.
                self.bound = ((size / shape[0]) as f32).sqrt().recip();
            }
            self.generator.rand(size).into_iter().map(|u| (2.0 * u - 1.0) * self.bound).collect()
        };
        let tensor = Tensor::from_data(TensorData::new(values, shape), &device);
        let id = param.id;
        param.transform_for_load(tensor, id)
    }
}
