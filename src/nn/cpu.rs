//! What kernels of our own have in common on the processor.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, ops::FloatTensorOps};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

/// Whether `x` is what these kernels take: single precision, on the processor, where no derivatives are wanted.
pub fn takes<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && !x.is_autodiff() && x.device() == Device::flex()
}

/// The numbers of a contiguous tensor.
pub fn values(x: &FloatTensor<Flex>) -> &[f32] {
    &x.storage::<f32>()[..x.layout().shape().num_elements()]
}

pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FloatTensor<Flex> {
    Flex::float_from_data(TensorData::new(values, shape), &Default::default())
}
