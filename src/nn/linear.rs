use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// `x W^T + b`, with `W` stored as torch does, `[out, in]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// What `torch.nn.Linear` starts from: uniform within `1 / sqrt(inputs)`.
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        let init = uniform();
        let bias = init.init_with([outputs], Some(inputs), Some(outputs), device);
        Self { bias: Some(bias), ..Self::without_bias(inputs, outputs, device) }
    }

    /// The same without `b`.
    pub fn without_bias(inputs: usize, outputs: usize, device: &Device) -> Self {
        let weight = uniform().init_with([outputs, inputs], Some(inputs), Some(outputs), device);
        Self { weight, bias: None }
    }

    /// # Shapes
    /// `[.., in]` to `[.., out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape = x.dims();
        let weight = self.weight.val();
        let [outputs, inputs] = weight.dims();
        shape[D - 1] = outputs;
        // One product of two matrices, whatever stands before the last axis.
        let y = x.reshape([-1, inputs as i32]).matmul(weight.transpose());
        let y = match &self.bias {
            Some(bias) => y + bias.val().unsqueeze(),
            None => y,
        };
        y.reshape(shape)
    }

    /// The same map at every position of an axis that stands last.
    ///
    /// # Shapes
    /// `[batch, in, positions]` to `[batch, out, positions]`.
    pub fn forward_positions(&self, x: Tensor<3>) -> Tensor<3> {
        let y = self.weight.val().unsqueeze::<3>().matmul(x);
        match &self.bias {
            Some(bias) => y + bias.val().reshape([1, -1, 1]),
            None => y,
        }
    }
}

fn uniform() -> Initializer {
    Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false }
}
