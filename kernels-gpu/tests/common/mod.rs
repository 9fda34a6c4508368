//! What the tests of kernels have in common.

use cubecl::client::Client;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::*;
use cubecl::zspace::{Shape, Strides};
use unnoise_kernels_gpu::shapes::{self, Layer, Network};

/// What pictures and weights of single precision are.
pub const SINGLE: ElemType = ElemType::Float(FloatKind::F32);

/// Random numbers between -1 and 1, the same ones every time.
pub fn numbers(count: usize, salt: u64) -> Vec<f32> {
    let mut random = Random(salt);
    (0..count).map(|_| (random.next() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
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

/// The layers of the networks of [`shapes`], each shape once; the large networks with small pictures, and without the layers that only have
/// more of the same tiles.
pub fn distinct() -> Vec<Layer> {
    let [diffusion, vae] = [(shapes::STABLE_DIFFUSION, 4), (shapes::STABLE_DIFFUSION_VAE, 16)]
        .map(|(network, size)| Network { size, ..network });
    let mut distinct: Vec<Layer> = Vec::new();
    for network in [diffusion, vae, shapes::CIFAR].iter().chain(&shapes::SHIPPED) {
        for layer in network.layers(1) {
            let large = match layer {
                Layer::Convolution { shape, .. } => shape.inputs * shape.outputs * shape.kernel[0] > 1 << 22,
                _ => false,
            };
            if !large && !distinct.contains(&layer) {
                distinct.push(layer);
            }
        }
    }
    distinct
}

/// The same random numbers every time (Steele et al. 2014, SplitMix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 1 to `most`.
    pub fn up_to(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize + 1
    }
}
