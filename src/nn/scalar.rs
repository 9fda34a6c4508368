use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// One number that is learned. In a file it has the name of its place and, as torch keeps it, no axes.
#[derive(Module, Debug)]
pub struct Scalar {
    value: Param<Tensor<1>>,
}

impl Scalar {
    pub fn new(value: f64, device: &Device) -> Self {
        Self { value: Initializer::Constant { value }.init([1], device) }
    }

    /// `[1]`.
    pub fn val(&self) -> Tensor<1> {
        self.value.val()
    }
}
