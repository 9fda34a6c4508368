//! The normalisation against sums in double precision.

mod common;

use common::{Random, SINGLE, computed, distinct, numbers, upload};
use cubecl::Device;
use cubecl::client::Client;
use unnoise_kernels_gpu::shapes::Layer;
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

fn check(client: &Client, shape: &Normalisation, added: bool) {
    let Normalisation { batch, channels, pixels, .. } = *shape;
    // Far from 0, where a mean that is not taken off first costs digits.
    let x: Vec<f32> = numbers(batch * channels * pixels, 1).iter().map(|x| x + 3.0).collect();
    let more = if added { numbers(batch * channels, 2) } else { vec![] };
    let (weight, bias) = (numbers(channels, 3), numbers(channels, 4));
    let ours = computed(client, x.len(), |out| {
        let tensors = Normalised {
            x: upload(client, &x),
            added: added.then(|| upload(client, &more)),
            weight: upload(client, &weight),
            bias: upload(client, &bias),
            out,
        };
        normalise(client, tensors, shape, [SINGLE; 2]);
    });
    for (i, (ours, wanted)) in ours.iter().zip(by_hand(shape, [&x, &more, &weight, &bias])).enumerate() {
        // Numbers up to 5, of single precision, divided by a deviation of at least 0.03.
        let allowed = 2e-5 * (1.0 + wanted.abs());
        assert!((f64::from(*ours) - wanted).abs() <= allowed, "{shape:?} at {i}: {ours}, not {wanted}");
    }
}

#[test]
fn the_layers_of_networks() {
    let client = Device::default().client();
    for layer in distinct() {
        if let Layer::Normalisation { shape, added } = layer {
            check(&client, &shape, added);
        }
    }
}

#[test]
fn groups_of_every_size() {
    let client = Device::default().client();
    for (batch, channels, groups, pixels) in
        [(2, 32, 8, 784), (1, 12, 3, 1), (3, 20, 5, 49), (1, 64, 32, 256), (2, 7, 7, 300), (1, 6, 1, 2000)]
    {
        for (silu, added) in [(false, false), (true, true)] {
            check(&client, &Normalisation { batch, channels, groups, pixels, eps: 1e-3, silu }, added);
        }
    }
}

#[test]
fn random_shapes() {
    let client = Device::default().client();
    let mut random = Random(1);
    for _ in 0..60 {
        let groups = random.up_to(12);
        let channels = groups * random.up_to(6);
        let [batch, pixels] = [random.up_to(3), random.up_to(900)];
        let shape = Normalisation { batch, channels, groups, pixels, eps: 1e-3, silu: random.up_to(2) == 1 };
        check(&client, &shape, random.up_to(2) == 1);
    }
}
