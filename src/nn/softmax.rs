//! Softmax of the last axis.

use burn::tensor::Tensor;
use burn::tensor::activation;

/// `e^x` over the sum of all along the last axis.
pub fn softmax(x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "cpu")]
    if super::cpu::takes(&x) {
        return on_cpu::softmax(x);
    }
    activation::softmax(x, 3)
}

#[cfg(feature = "cpu")]
mod on_cpu {
    use crate::nn::cpu::{tensor, values};
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Backend, Dispatch, Flex, backend_extension};
    use burn::tensor::Tensor;

    pub fn softmax(x: Tensor<4>) -> Tensor<4> {
        Tensor::from_dispatch(<Dispatch as Softmax>::softmax_of_rows(x.into_dispatch()))
    }

    #[backend_extension(Flex)]
    pub trait Softmax: Backend {
        fn softmax_of_rows(x: FloatTensor<Self>) -> FloatTensor<Self>;
    }

    impl Softmax for Flex {
        fn softmax_of_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
            let x = x.to_contiguous();
            let shape = x.layout().shape().clone();
            let [.., width] = shape.dims::<4>();
            tensor(unnoise_kernels::softmax(values(&x), width), shape)
        }
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::backend::cpu;
    use burn::tensor::TensorData;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_as_burn_computes_them(
            width in 1usize..70,
            rows in 1usize..9,
            values in proptest::collection::vec(prop_oneof![-200f32..200.0, -2f32..2.0, Just(f32::NEG_INFINITY)], 70 * 9),
        ) {
            let mut values = values[..rows * width].to_vec();
            values.iter_mut().step_by(width).for_each(|first| *first = first.max(-100.0)); // a row has something in it
            let x = Tensor::<4>::from_data(TensorData::new(values, [1, rows, 1, width]), &cpu::device());
            for (ours, theirs) in cpu::read(softmax(x.clone())).iter().zip(cpu::read(activation::softmax(x, 3))) {
                prop_assert!((ours - theirs).abs() <= 1e-6 * theirs + 1e-30, "{ours}, not {theirs}");
            }
        }
    }
}
