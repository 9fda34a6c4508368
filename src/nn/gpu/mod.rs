//! Layers on a graphics card over WebGPU, by kernels of our own: burn 0.22.1 has only direct convolution there.

mod attention;
#[cfg(all(feature = "engine", target_family = "wasm", target_os = "unknown"))]
pub mod bench;
mod conv;
mod norm;

pub use attention::attend;
pub use conv::conv;
pub use norm::{Normalisation, norm};
pub use unnoise_kernels_gpu::Layout;

use crate::backend;
use burn::tensor::{DType, Tensor};
use burn_cubecl::cubecl::ir::{ElemType, FloatKind};
use burn_cubecl::cubecl::prelude::TensorBinding;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;

/// Whether `x` is what these kernels take: single precision, over WebGPU, where no derivatives are wanted.
pub fn takes<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && !x.is_autodiff() && backend::is_webgpu(&x.device())
}

/// What a kernel reads.
fn read(x: CubeTensor) -> TensorBinding {
    into_contiguous(x).binding()
}

/// A tensor of this shape beside `x`, for a kernel to write.
fn beside(x: &CubeTensor, shape: impl Into<burn::tensor::Shape>) -> CubeTensor {
    empty_device_dtype(x.client.clone(), x.device.clone(), shape.into(), x.dtype)
}

/// The kind of numbers that `x` is stored in.
fn kind(x: &CubeTensor) -> ElemType {
    ElemType::Float(if x.dtype == DType::F16 { FloatKind::F16 } else { FloatKind::F32 })
}
