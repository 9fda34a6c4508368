//! The convolution against sums in double precision, on whatever graphics card (or its imitation on the processor) there is.

mod common;

use common::{SINGLE, computed, numbers, upload};
use cubecl::Device;
use cubecl::client::Client;
use unnoise_kernels_gpu::{Convolution, Convolved, convolve};

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

    fn on_gpu(&self, client: &Client) -> Vec<f32> {
        let [x, weight, bias, residual] = self.inputs();
        computed(client, residual.len(), |out| {
            let tensors = Convolved {
                x: upload(client, &x),
                weight: upload(client, &weight),
                bias: upload(client, &bias),
                residual: self.residual.then(|| upload(client, &residual)),
                out,
            };
            convolve(client, tensors, &self.shape, [SINGLE; 2]);
        })
    }

    fn by_hand(&self) -> Vec<f64> {
        let [x, weight, bias, residual] = self.inputs();
        let Convolution { batch, inputs, size, seen, kernel, stride, padding, .. } = self.shape;
        let [rows, columns] = self.shape.out();
        let repeat = if seen == size { 1 } else { 2 };
        let mut out = Vec::new();
        for image in 0..batch {
            for (output, bias) in bias.iter().enumerate() {
                for place in 0..rows * columns {
                    let mut sum = f64::from(*bias);
                    if self.residual {
                        sum += f64::from(residual[out.len()]);
                    }
                    for input in 0..inputs {
                        for tap in 0..kernel[0] * kernel[1] {
                            let y = (place / columns * stride[0] + tap / kernel[1]).wrapping_sub(padding[0][0]);
                            let x_at = (place % columns * stride[1] + tap % kernel[1]).wrapping_sub(padding[1][0]);
                            if y < seen[0] && x_at < seen[1] {
                                let at = ((image * inputs + input) * size[0] + y / repeat) * size[1] + x_at / repeat;
                                let w = (output * inputs + input) * kernel[0] * kernel[1] + tap;
                                sum += f64::from(x[at]) * f64::from(weight[w]);
                            }
                        }
                    }
                    out.push(sum);
                }
            }
        }
        out
    }

    fn check(&self, client: &Client) {
        let terms = (self.shape.inputs * self.shape.kernel[0] * self.shape.kernel[1]) as f64;
        // The order of a sum is worth a few units in the last place of its largest part.
        let allowed = 2e-7 * terms.max(8.0);
        let (ours, wanted) = (self.on_gpu(client), self.by_hand());
        assert_eq!(ours.len(), wanted.len());
        for (i, (ours, wanted)) in ours.iter().zip(wanted).enumerate() {
            assert!((f64::from(*ours) - wanted).abs() <= allowed, "{:?} at {i}: {ours}, not {wanted}", self.shape);
        }
    }
}

fn same(channels: [usize; 2], kernel: usize, [batch, height, width]: [usize; 3]) -> Convolution {
    let [inputs, outputs] = channels;
    let (size, pad) = ([height, width], kernel / 2);
    Convolution {
        batch,
        inputs,
        outputs,
        size,
        seen: size,
        kernel: [kernel; 2],
        stride: [1; 2],
        padding: [[pad; 2]; 2],
    }
}

#[test]
fn the_shapes_of_networks() {
    let client = Device::default().client();
    println!("on {}", client.name());
    for (channels, kernel, size) in [
        ([1, 32], 3, [2, 28, 28]),
        ([32, 64], 3, [1, 14, 14]),
        ([112, 112], 3, [3, 7, 7]),
        ([177, 7], 3, [1, 5, 9]),
        ([64, 112], 1, [2, 14, 14]),
        ([3, 3], 5, [1, 6, 6]),
        ([40, 130], 3, [4, 33, 32]),
        ([24, 48], 3, [8, 32, 31]),
        // More tiles than one dimension of a launch has.
        ([1, 1], 1, [1, 2048, 1025]),
    ] {
        for residual in [false, true] {
            Case { shape: same(channels, kernel, size), residual }.check(&client);
        }
    }
}

#[test]
fn strides_uneven_padding_and_repeated_pixels() {
    let client = Device::default().client();
    let plain = same([12, 20], 3, [2, 9, 11]);
    let halved = Convolution { stride: [2, 2], padding: [[0, 1], [0, 1]], ..plain };
    let odd = Convolution { stride: [1, 3], padding: [[2, 0], [0, 3]], kernel: [2, 4], ..plain };
    let doubled = Convolution { seen: [18, 22], ..plain };
    let one_less = Convolution { seen: [17, 22], ..plain };
    for shape in [halved, odd, doubled, one_less] {
        Case { shape, residual: true }.check(&client);
    }
}
