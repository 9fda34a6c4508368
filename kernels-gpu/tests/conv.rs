//! The convolution against sums in double precision, on whatever graphics card (or its imitation on the processor) there is.

mod common;

use common::{Random, SINGLE, binding, computed, distinct, numbers, upload};
use cubecl::Device;
use cubecl::client::Client;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::TensorBinding;
use unnoise_kernels_gpu::shapes::Layer;
use unnoise_kernels_gpu::{Adapter, Convolution, Convolved, convolve};

/// Each has tiles of its own.
const ADAPTERS: [Adapter; 2] = [Adapter::Card, Adapter::Software];

#[derive(Debug)]
struct Case {
    shape: Convolution,
    residual: bool,
}

impl Case {
    fn inputs(&self) -> [Vec<f32>; 4] {
        let Convolution { batch, inputs, outputs, size, kernel, .. } = self.shape;
        let out = batch * outputs * self.shape.out().iter().product::<usize>();
        [
            numbers(batch * inputs * size[0] * size[1], 1),
            numbers(outputs * inputs * kernel[0] * kernel[1], 2),
            numbers(outputs, 3),
            numbers(out, 4),
        ]
    }

    fn on_gpu(&self, client: &Client, adapter: Adapter, inputs: &[Vec<f32>; 4]) -> Vec<f32> {
        self.with_weights(client, adapter, inputs, upload(client, &inputs[1]), SINGLE)
    }

    fn with_weights(
        &self,
        client: &Client,
        adapter: Adapter,
        [x, _, bias, residual]: &[Vec<f32>; 4],
        weight: TensorBinding,
        kind: ElemType,
    ) -> Vec<f32> {
        computed(client, residual.len(), |out| {
            let tensors = Convolved {
                x: upload(client, x),
                weight,
                bias: upload(client, bias),
                residual: self.residual.then(|| upload(client, residual)),
                out,
            };
            convolve(client, adapter, tensors, &self.shape, [SINGLE, kind]);
        })
    }

    fn by_hand(&self, [x, weight, bias, residual]: &[Vec<f32>; 4]) -> Vec<f64> {
        let Convolution { inputs, outputs, size, seen, kernel, stride, padding, .. } = self.shape;
        let [rows, columns] = self.shape.out();
        let repeat = if seen == size { 1 } else { 2 };
        // Which of the numbers along a row or a column meets a tap of the kernel at each place of the result, if any does.
        let met = |axis: usize, tap: usize, places: usize| -> Vec<Option<usize>> {
            let at = |place: usize| (place * stride[axis] + tap).checked_sub(padding[axis][0]);
            (0..places).map(|place| at(place).filter(|at| *at < seen[axis]).map(|at| at / repeat)).collect()
        };
        let mut out: Vec<f64> = residual.iter().map(|r| if self.residual { f64::from(*r) } else { 0.0 }).collect();
        for (plane, out) in out.chunks_mut(rows * columns).enumerate() {
            let (image, output) = (plane / outputs, plane % outputs);
            out.iter_mut().for_each(|sum| *sum += f64::from(bias[output]));
            for tap in 0..kernel[0] * kernel[1] {
                let (down, across) = (met(0, tap / kernel[1], rows), met(1, tap % kernel[1], columns));
                for input in 0..inputs {
                    let w = f64::from(weight[(output * inputs + input) * kernel[0] * kernel[1] + tap]);
                    for (sums, y) in out.chunks_mut(columns).zip(&down) {
                        let Some(y) = y else { continue };
                        let line = &x[((image * inputs + input) * size[0] + y) * size[1]..][..size[1]];
                        for (sum, x_at) in sums.iter_mut().zip(&across) {
                            *sum += x_at.map_or(0.0, |x_at| w * f64::from(line[x_at]));
                        }
                    }
                }
            }
        }
        out
    }

    fn check(&self, client: &Client) {
        let terms = (self.shape.inputs * self.shape.kernel[0] * self.shape.kernel[1]) as f64;
        // The order of a sum is worth a few units in the last place of its largest part.
        let allowed = 2e-7 * terms.max(8.0);
        let inputs = self.inputs();
        let wanted = self.by_hand(&inputs);
        for adapter in ADAPTERS {
            let ours = self.on_gpu(client, adapter, &inputs);
            assert_eq!(ours.len(), wanted.len());
            for (i, (ours, wanted)) in ours.iter().zip(&wanted).enumerate() {
                let off = (f64::from(*ours) - wanted).abs();
                assert!(off <= allowed, "{self:?} on {adapter:?} at {i}: {ours}, not {wanted}");
            }
        }
    }
}

/// One that keeps the size of a picture.
fn same([inputs, outputs]: [usize; 2], kernel: usize, [batch, height, width]: [usize; 3]) -> Convolution {
    let (size, pad) = ([height, width], kernel / 2);
    let (kernel, padding) = ([kernel; 2], [[pad; 2]; 2]);
    Convolution { batch, inputs, outputs, size, seen: size, kernel, stride: [1; 2], padding }
}

#[test]
fn the_layers_of_networks() {
    let client = Device::default().client();
    println!("on {}", client.name());
    for layer in distinct() {
        if let Layer::Convolution { shape, residual } = layer {
            Case { shape, residual }.check(&client);
        }
    }
}

#[test]
fn large_tiles_batches_and_odd_sizes() {
    let client = Device::default().client();
    for (channels, kernel, size) in [
        ([112, 112], 3, [3, 7, 7]),
        ([177, 7], 3, [1, 5, 9]),
        ([40, 130], 3, [4, 33, 32]),
        ([24, 48], 3, [8, 32, 31]),
        ([2560, 1280], 3, [1, 1, 2]),
        ([5, 132], 3, [4, 91, 90]),
    ] {
        for residual in [false, true] {
            Case { shape: same(channels, kernel, size), residual }.check(&client);
        }
    }
    Case { shape: same([3, 3], 5, [1, 6, 6]), residual: true }.check(&client);
    // More tiles than one dimension of a launch has.
    Case { shape: same([1, 1], 1, [1, 2048, 1025]), residual: true }.check(&client);
}

#[test]
fn strides_uneven_padding_and_repeated_pixels() {
    let client = Device::default().client();
    let plain = same([12, 20], 3, [2, 9, 11]);
    let halved = Convolution { stride: [2, 2], padding: [[0, 1], [0, 1]], ..plain };
    let odd = Convolution { stride: [1, 3], padding: [[2, 0], [0, 3]], kernel: [2, 4], ..plain };
    let doubled = Convolution { seen: [18, 22], ..plain };
    let one_less = Convolution { seen: [17, 22], ..plain };
    for (shape, residual) in [(halved, false), (odd, true), (doubled, false), (one_less, false)] {
        Case { shape, residual }.check(&client);
    }
}

#[test]
fn random_shapes() {
    let client = Device::default().client();
    let mut random = Random(1);
    for _ in 0..60 {
        let (kind, channels) = (random.up_to(6), [random.up_to(50), random.up_to(150)]);
        // Of no kind that the other tests do not compile the kernel for, and sometimes in large tiles.
        let most = if kind < 3 { 40 } else { 12 };
        let size = [random.up_to(3), random.up_to(most), random.up_to(most)];
        let plain = same(channels, 3, size);
        let (shape, residual) = match kind {
            1 | 2 => (plain, kind == 1),
            3 => (same(channels, 1, size), false),
            4 => (Convolution { stride: [2; 2], ..plain }, false),
            5 => (Convolution { seen: plain.size.map(|side| 2 * side), ..plain }, false),
            _ => (Convolution { seen: plain.size.map(|side| 2 * side - 1), ..plain }, false),
        };
        Case { shape, residual }.check(&client);
    }
}

/// The bits of a number in half precision; of numbers that have at most 11 digits and a size from 2^-14 to 2.
fn half(x: f32) -> u16 {
    let bits = x.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let exponent = bits >> 23 & 0xff;
    if exponent == 0 { sign } else { sign | ((exponent - 112) << 10) as u16 | (bits >> 13 & 0x3ff) as u16 }
}

#[test]
fn float16_weights() {
    const HALF: ElemType = ElemType::Float(FloatKind::F16);
    let client = Device::default().client();
    let there = client.properties().supports_type(HALF);
    assert!(there, "this graphics card has no float16 (shader-f16): add `-- --skip float16_weights`");
    for (channels, size) in [([20, 40], [2, 9, 11]), ([7, 70], [4, 33, 32]), ([16, 130], [4, 33, 32])] {
        let case = Case { shape: same(channels, 3, size), residual: true };
        let mut inputs = case.inputs();
        inputs[1].iter_mut().for_each(|w| *w = (*w * 1024.0).round() / 1024.0);
        let halves: Vec<u8> = inputs[1].iter().flat_map(|w| half(*w).to_ne_bytes()).collect();
        for adapter in ADAPTERS {
            let weight = binding(client.create_from_slice(&halves), inputs[1].len());
            let ours = case.with_weights(&client, adapter, &inputs, weight, HALF);
            // Nothing of such weights is lost in 16 bits.
            assert_eq!(ours, case.on_gpu(&client, adapter, &inputs), "{case:?} on {adapter:?}");
        }
    }
}
