//! GELU, `x` times the normal distribution function (Hendrycks & Gimpel 2016, arXiv 1606.08415).

use burn::tensor::Tensor;
use burn::tensor::activation;

/// Of every number.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "cpu")]
    if super::cpu::takes(&x) {
        return on_cpu::gelu(x);
    }
    activation::gelu(x)
}

/// The first half of the last axis times the GELU of the second (GEGLU, Shazeer 2020, arXiv 2002.05202).
///
/// # Shapes
/// `[batch, positions, 2 width]` to `[batch, positions, width]`.
pub fn gated_gelu(x: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "cpu")]
    if super::cpu::takes(&x) {
        return on_cpu::gated_gelu(x);
    }
    let [.., both] = x.dims();
    let half = |i: usize| x.clone().narrow(2, i * (both / 2), both / 2);
    half(0) * activation::gelu(half(1))
}

#[cfg(feature = "cpu")]
mod on_cpu {
    use crate::nn::cpu::{tensor, values};
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Backend, Dispatch, Flex, backend_extension};
    use burn::tensor::Tensor;

    pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
        Tensor::from_dispatch(<Dispatch as Gelu>::gelu(x.into_dispatch()))
    }

    pub fn gated_gelu(x: Tensor<3>) -> Tensor<3> {
        Tensor::from_dispatch(<Dispatch as Gelu>::gated_gelu(x.into_dispatch()))
    }

    #[backend_extension(Flex)]
    pub trait Gelu: Backend {
        fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
        fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
    }

    impl Gelu for Flex {
        fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
            let x = x.to_contiguous();
            tensor(unnoise_kernels::gelu(values(&x)), x.layout().shape().clone())
        }

        fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
            let x = x.to_contiguous();
            let [batch, positions, both] = x.layout().shape().dims();
            tensor(unnoise_kernels::gated_gelu(values(&x), both / 2), [batch, positions, both / 2])
        }
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::backend::cpu;
    use burn::tensor::TensorData;

    fn numbers() -> Vec<f32> {
        let spread = (-8000..=8000).map(|i| i as f32 * 0.001);
        spread.chain([-1e30, -200.0, -1e-30, -0.0, 0.0, 1e-30, 200.0, 1e30]).collect()
    }

    fn exact(x: f32) -> f64 {
        let x = f64::from(x);
        0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
    }

    /// To a few units in the last place of the distribution function, which is 1 at most, times `x`.
    fn near(got: f32, x: f32, factor: f32) {
        let wanted = f64::from(factor) * exact(x);
        let most = 3e-7 * f64::from(x).abs() * f64::from(factor).abs();
        assert!((f64::from(got) - wanted).abs() <= most, "at {x}: {got}, not {wanted}");
    }

    #[test]
    fn it_is_what_double_precision_says() {
        let x = Tensor::<1>::from_data(TensorData::new(numbers(), [numbers().len()]), &cpu::device());
        for (got, x) in cpu::read(gelu(x)).into_iter().zip(numbers()) {
            near(got, x, 1.0);
        }
    }

    #[test]
    fn values_are_gated_row_by_row_wherever_they_lie() {
        let (rows, width) = (3, 700);
        let all: Vec<f32> = (0..2 * 2 * rows * width).map(|i| ((i * 37 % 1001) as f32 - 500.0) * 0.01).collect();
        let x = Tensor::<3>::from_data(TensorData::new(all.clone(), [2, rows, 2 * width]), &cpu::device());
        let check = |got: Vec<f32>| {
            for (row, got) in all.chunks(2 * width).zip(got.chunks(width)) {
                (0..width).for_each(|i| near(got[i], row[width + i], row[i]));
            }
        };
        check(cpu::read(gated_gelu(x.clone())));
        let laid_out_by_columns = x.swap_dims(1, 2).swap_dims(1, 2);
        check(cpu::read(gated_gelu(laid_out_by_columns)));
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let x = Tensor::<1>::from_data([f32::NAN, f32::INFINITY], &cpu::device());
        let [nan, infinite] = cpu::read(gelu(x))[..] else { panic!("two numbers") };
        assert!(nan.is_nan() && infinite == f32::INFINITY);
    }
}
