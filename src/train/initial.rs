//! Weights to start from.

use crate::math::TorchGenerator;
use crate::models::clip_text::ClipTextConfig;
use crate::models::unet2d::FOURIER_SCALE;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

/// `module` with the kind of weights that torch gives its layers, as a function of the generator alone: standard normal
/// embeddings and frequencies, and uniform numbers within `1 / sqrt(inputs)` for maps, their biases included (He et al. 2015, arXiv
/// 1502.01852, as torch calls it with `a = sqrt(5)`). Normalisations and scalars keep what they have.
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
        if ["Struct:GroupNorm", "Struct:LayerNorm", "Struct:Scalar"].contains(&holder) {
            return param;
        }
        let shape = param.lazy_shape();
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
        filled(param, values)
    }
}

fn filled<const D: usize>(param: Param<Tensor<D>>, values: Vec<f32>) -> Param<Tensor<D>> {
    let tensor = Tensor::from_data(TensorData::new(values, param.lazy_shape()), &param.lazy_device());
    let id = param.id;
    param.transform_for_load(tensor, id)
}

/// A module whose text encoder has the kind of weights that transformers gives it: normal ones, the smaller the more layers add to each other, and
/// biases of zero (Radford et al. 2021, arXiv 2103.00020, section 2.4).
pub fn text_encoder<M: Module>(module: M, config: &ClipTextConfig, generator: &mut TorchGenerator) -> M {
    let width = config.hidden_size as f64;
    let inner = (width * 2.0 * config.num_hidden_layers as f64).sqrt().recip();
    let deviations = [
        ("token_embedding", 0.02),
        ("position_embedding", 0.02),
        ("q_proj", inner),
        ("k_proj", inner),
        ("v_proj", inner),
        ("out_proj", width.sqrt().recip()),
        ("fc1", (2.0 * width).sqrt().recip()),
        ("fc2", inner),
    ];
    module.map(&mut NormalDraws { generator, deviations, path: Vec::new() })
}

struct NormalDraws<'a> {
    generator: &'a mut TorchGenerator,
    /// Of the weights of a field.
    deviations: [(&'static str, f64); 8],
    path: Vec<String>,
}

impl ModuleMapper for NormalDraws<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let field = self.path.iter().rev().nth(1).map_or("", String::as_str);
        let Some((_, deviation)) = self.deviations.iter().find(|(name, _)| *name == field) else { return param };
        let size = param.lazy_shape().num_elements();
        let values = match D {
            1 => vec![0.0; size],
            _ => self.generator.randn(size).into_iter().map(|v| v * *deviation as f32).collect(),
        };
        filled(param, values)
    }
}
