use super::{gelu, silu};
use burn::tensor::Tensor;
use burn::tensor::activation::{mish, relu, sigmoid};
use serde::Deserialize;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// An activation, by the names that configurations of diffusers and transformers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Activation {
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// `x sigmoid(1.702 x)`, which stands for [`Gelu`](Self::Gelu) in OpenAI's CLIP.
    #[serde(rename = "quick_gelu")]
    QuickGelu,
    /// `x` times the normal distribution function (Hendrycks & Gimpel 2016, arXiv 1606.08415).
    #[serde(rename = "gelu")]
    Gelu,
    /// The same paper's approximation by a hyperbolic tangent.
    #[serde(rename = "gelu-approximate", alias = "gelu_new", alias = "gelu_pytorch_tanh")]
    GeluTanh,
    /// `x tanh(ln(1 + e^x))` (Misra 2019, arXiv 1908.08681).
    #[serde(rename = "mish")]
    Mish,
    #[serde(rename = "relu")]
    Relu,
}

impl Activation {
    /// Of every value on its own.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Silu => silu(x),
            Self::QuickGelu => x.clone() * sigmoid(x * 1.702),
            Self::Gelu => gelu(x),
            Self::GeluTanh => {
                // A product and not a power, which a GPU does not know of negative numbers.
                let cube = x.clone() * x.clone() * x.clone();
                let inner = (x.clone() + cube * 0.044715) * (FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
                x * (inner.tanh() + 1.0) * 0.5
            }
            Self::Mish => mish(x),
            Self::Relu => relu(x),
        }
    }
}
