//! What the tests of kernels have in common.

use cubecl::client::Client;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::*;
use cubecl::zspace::{Shape, Strides};

/// What pictures and weights of single precision are.
pub const SINGLE: ElemType = ElemType::Float(FloatKind::F32);

/// Numbers that look random, between -1 and 1.
pub fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + salt * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
}

pub fn upload(client: &Client, values: &[f32]) -> TensorBinding {
    binding(client.create_from_slice(f32::as_bytes(values)), values.len())
}

pub fn binding(handle: cubecl::server::Handle, len: usize) -> TensorBinding {
    // SAFETY: the buffer is of that many numbers.
    unsafe { TensorBinding::from_raw_parts(handle, Strides::new(&[1]), Shape::new([len])) }
}

/// `len` numbers that `compute` writes.
pub fn computed(client: &Client, len: usize, compute: impl FnOnce(TensorBinding)) -> Vec<f32> {
    let out = client.empty(len * size_of::<f32>());
    compute(binding(out.clone(), len));
    f32::from_bytes(&client.read_one_unchecked(out)).to_vec()
}
