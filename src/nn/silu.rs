//! SiLU, `x / (1 + e^-x)` (Elfwing et al. 2018, arXiv 1702.03118).

use burn::tensor::Tensor;

/// `x * sigmoid(x)` of every number.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "cpu")]
    if fused::takes(&x) {
        return fused::silu(x);
    }
    burn::tensor::activation::silu(x)
}

/// The same on the processor, in one pass each way; burn computes the exponentials one at a time, and those of the way back anew.
#[cfg(feature = "cpu")]
mod fused {
    use crate::nn::cpu::{tensor, values};
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Backend, Dispatch, Flex, backend_extension};
    use burn::tensor::{DType, Device, Tensor};

    pub fn takes<const D: usize>(x: &Tensor<D>) -> bool {
        x.dtype() == DType::F32 && x.device().inner() == Device::flex()
    }

    pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
        Tensor::from_dispatch(<Dispatch as Silu>::silu(x.into_dispatch()))
    }

    #[backend_extension(Flex, Autodiff: cfg(feature = "autodiff"))]
    pub trait Silu: Backend {
        fn silu(x: FloatTensor<Self>) -> FloatTensor<Self>;
    }

    /// The way back: the gradient with respect to `x` from that with respect to the output.
    #[cfg(feature = "autodiff")]
    pub trait Back: Backend {
        fn back(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;
    }

    impl Silu for Flex {
        fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
            let x = x.to_contiguous();
            tensor(unnoise_kernels::silu(values(&x)), x.layout().shape().clone())
        }
    }

    #[cfg(feature = "autodiff")]
    impl Back for Flex {
        fn back(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
            let (x, gradient) = (x.to_contiguous(), gradient.to_contiguous());
            tensor(unnoise_kernels::silu_back(values(&x), values(&gradient)), x.layout().shape().clone())
        }
    }

    #[cfg(feature = "autodiff")]
    mod differentiable {
        use super::{Back, Silu};
        use burn::backend::Autodiff;
        use burn::backend::autodiff::checkpoint::base::Checkpointer;
        use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
        use burn::backend::autodiff::grads::Gradients;
        use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
        use burn::backend::tensor::FloatTensor;

        #[derive(Debug)]
        struct Tracked;

        impl<B: Back> Backward<B, 1> for Tracked {
            type State = FloatTensor<B>;

            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                unary::<B, _>(ops.parents, ops.node, grads, |gradient| B::back(ops.state, gradient));
            }
        }

        impl<B: Silu + Back, C: CheckpointStrategy> Silu for Autodiff<B, C> {
            fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
                let input = x.primitive().clone();
                match Tracked.prepare::<C>([x.node()]).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish(input.clone(), B::silu(input)),
                    OpsKind::UnTracked(prep) => prep.finish(B::silu(input)),
                }
            }
        }
    }
}

#[cfg(all(test, feature = "cpu", feature = "autodiff"))]
mod tests {
    use super::*;
    use crate::backend::cpu;

    fn numbers() -> Vec<f32> {
        let spread = (-4000..=4000).map(|i| i as f32 * 0.01);
        spread.chain([-1e30, -200.0, -88.0, -1e-30, -0.0, 0.0, 1e-30, 88.0, 200.0, 1e30]).collect()
    }

    fn tensor(values: Vec<f32>) -> Tensor<1> {
        Tensor::from_data(burn::tensor::TensorData::new(values, [numbers().len()]), &cpu::device())
    }

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    /// Both ways, to a few units in the last place of single precision, or of the largest term of a sum.
    #[test]
    fn it_is_what_double_precision_says() {
        let x = tensor(numbers()).autodiff().require_grad();
        let y = silu(x.clone());
        let slopes = x.grad(&(y.clone() * 3.0).sum().backward()).expect("it was tracked");
        let (y, slopes) = (cpu::read(y.inner()), cpu::read(slopes));
        for (i, x) in numbers().into_iter().map(f64::from).enumerate() {
            let s = sigmoid(x);
            // Below -87 both are less than any number that matters.
            let near = |got: f32, wanted: f64, scale: f64| (f64::from(got) - wanted).abs() <= 4e-7 * scale + 1e-30;
            assert!(near(y[i], x * s, (x * s).abs()), "silu({x}) = {}, not {}", y[i], x * s);
            let slope = 3.0 * s * (1.0 + x * (1.0 - s));
            assert!(
                near(slopes[i], slope, 3.0 * s * (1.0 + x.abs() * (1.0 - s))),
                "at {x}: {} is not {slope}",
                slopes[i]
            );
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let x = Tensor::<1>::from_data([f32::NAN, f32::INFINITY], &cpu::device());
        let [nan, infinite] = cpu::read(silu(x))[..] else { panic!("two numbers") };
        assert!(nan.is_nan() && infinite == f32::INFINITY);
    }

    /// One that is not laid out in a row.
    #[test]
    fn the_layout_does_not_matter() {
        let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &cpu::device());
        let turned = silu(x.clone().transpose()).transpose();
        assert_eq!(cpu::read(turned), cpu::read(silu(x.clone())));
        let part = silu(x.clone().narrow(1, 1, 2));
        assert_eq!(cpu::read(part), cpu::read(silu(x).narrow(1, 1, 2)));
    }
}
