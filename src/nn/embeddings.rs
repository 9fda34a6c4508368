use super::{Activation, Linear};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Two linear maps with an activation between them, and a further condition that is added before the first.
#[derive(Module, Debug)]
pub struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
    cond_proj: Option<Linear>,
    #[module(skip)]
    activation: Activation,
}

impl TimestepEmbedding {
    /// `condition` is the width of the further condition, if there is one (`time_cond_proj_dim`).
    pub fn new(
        inputs: usize,
        outputs: usize,
        condition: Option<usize>,
        activation: Activation,
        device: &Device,
    ) -> Self {
        Self {
            linear_1: Linear::new(inputs, outputs, device),
            linear_2: Linear::new(outputs, outputs, device),
            cond_proj: condition.map(|width| Linear::without_bias(width, inputs, device)),
            activation,
        }
    }

    /// # Shapes
    /// `x` `[batch, in]`, `condition` `[batch, condition]`; the result is `[batch, out]`.
    pub fn forward(&self, x: Tensor<2>, condition: Option<Tensor<2>>) -> Tensor<2> {
        let x = match (&self.cond_proj, condition) {
            (Some(project), Some(condition)) => x + project.forward(condition),
            _ => x,
        };
        self.linear_2.forward(self.activation.apply(self.linear_1.forward(x)))
    }
}
