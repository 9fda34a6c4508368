//! The normalisation against sums in double precision.

mod common;

use common::{SINGLE, computed, numbers, upload};
use cubecl::Device;
use unnoise_kernels_gpu::{Normalisation, Normalised, normalise};

fn by_hand(shape: &Normalisation, [x, added, weight, bias]: [&[f32]; 4]) -> Vec<f64> {
    let Normalisation { channels, groups, pixels, eps, silu, .. } = *shape;
    let value = |i: usize| f64::from(x[i]) + added.get(i / pixels).map_or(0.0, |added| f64::from(*added));
    let width = channels / groups * pixels;
    let mut out = Vec::new();
    for first in (0..x.len()).step_by(width) {
        let mean = (first..first + width).map(value).sum::<f64>() / width as f64;
        let variance = (first..first + width).map(|i| (value(i) - mean).powi(2)).sum::<f64>() / width as f64;
        out.extend((first..first + width).map(|i| {
            let channel = i / pixels % channels;
            let y = (value(i) - mean) / (variance + f64::from(eps)).sqrt();
            let y = y * f64::from(weight[channel]) + f64::from(bias[channel]);
            if silu { y / (1.0 + (-y).exp()) } else { y }
        }));
    }
    out
}

#[test]
fn groups_of_every_size() {
    let client = Device::default().client();
    for (batch, channels, groups, pixels) in
        [(2, 32, 8, 784), (1, 12, 3, 1), (3, 20, 5, 49), (1, 64, 32, 256), (2, 7, 7, 300), (1, 6, 1, 2000)]
    {
        for (silu, more) in [(false, false), (true, true)] {
            let shape = Normalisation { batch, channels, groups, pixels, eps: 1e-3, silu };
            // Far from 0, where a mean that is not taken off first costs digits.
            let x: Vec<f32> = numbers(batch * channels * pixels, 1).iter().map(|x| x + 3.0).collect();
            let added = if more { numbers(batch * channels, 2) } else { vec![] };
            let (weight, bias) = (numbers(channels, 3), numbers(channels, 4));
            let ours = computed(&client, x.len(), |out| {
                let tensors = Normalised {
                    x: upload(&client, &x),
                    added: more.then(|| upload(&client, &added)),
                    weight: upload(&client, &weight),
                    bias: upload(&client, &bias),
                    out,
                };
                normalise(&client, tensors, &shape, [SINGLE; 2]);
            });
            for (i, (ours, wanted)) in ours.iter().zip(by_hand(&shape, [&x, &added, &weight, &bias])).enumerate() {
                // Numbers up to 5, of single precision, divided by a deviation of at least 0.03.
                let allowed = 2e-5 * (1.0 + wanted.abs());
                assert!((f64::from(*ours) - wanted).abs() <= allowed, "{shape:?} at {i}: {ours}, not {wanted}");
            }
        }
    }
}
