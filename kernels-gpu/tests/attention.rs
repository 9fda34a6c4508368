//! The attention against sums in double precision.

mod common;

use common::{SINGLE, computed, numbers, upload};
use cubecl::Device;
use unnoise_kernels_gpu::{Attended, Attention, Layout, attend};

fn by_hand(shape: &Attention, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f64> {
    let Attention { batch, positions, sources, heads, width, .. } = *shape;
    let stride = heads * width;
    let mut out = vec![0.0; q.len()];
    for (image, head) in (0..batch).flat_map(|image| (0..heads).map(move |head| (image, head))) {
        for position in 0..positions {
            let at = |row: usize| row * stride + head * width;
            let query = at(image * positions + position);
            let score = |source: usize| {
                let key = at(image * sources + source);
                let products = (0..width).map(|c| f64::from(q[query + c]) * f64::from(k[key + c]));
                products.sum::<f64>() / (width as f64).sqrt()
            };
            let scores: Vec<f64> = (0..sources).map(score).collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - top).exp()).sum();
            for (source, score) in scores.iter().enumerate() {
                let value = at(image * sources + source);
                for c in 0..width {
                    out[query + c] += (score - top).exp() / sum * f64::from(v[value + c]);
                }
            }
        }
    }
    out
}

/// The last two axes the other way round.
fn turned(x: &[f32], [batch, rows, columns]: [usize; 3]) -> Vec<f32> {
    let place = |i: usize, row: usize, column: usize| x[(i * rows + row) * columns + column];
    let images = (0..batch).flat_map(|i| (0..columns).map(move |column| (i, column)));
    images.flat_map(|(i, column)| (0..rows).map(move |row| place(i, row, column)).collect::<Vec<_>>()).collect()
}

#[test]
fn shapes_of_networks_and_odd_ones() {
    let client = Device::default().client();
    for (batch, positions, sources, heads, width) in [
        (1, 49, 49, 2, 56),
        (2, 64, 77, 4, 40),
        (1, 5, 3, 3, 7),
        (2, 33, 65, 1, 160),
        (1, 40, 40, 1, 512),
        (1, 1, 1, 1, 1),
    ] {
        let shape = Attention { batch, positions, sources, heads, width, layout: Layout::ChannelsLast };
        let channels = heads * width;
        // Scores of up to some tens, so that the largest one matters.
        let q: Vec<f32> = numbers(batch * positions * heads * width, 1).iter().map(|q| 8.0 * q).collect();
        let (k, v) = (numbers(batch * sources * heads * width, 2), numbers(batch * sources * heads * width, 3));
        let last = computed(&client, q.len(), |out| {
            let tensors = Attended { q: upload(&client, &q), k: upload(&client, &k), v: upload(&client, &v), out };
            attend(&client, tensors, &shape, SINGLE);
        });
        // The widest take long to compile, and differ in nothing else.
        if width < 100 {
            let first = computed(&client, q.len(), |out| {
                let tensors = Attended {
                    q: upload(&client, &turned(&q, [batch, positions, channels])),
                    k: upload(&client, &turned(&k, [batch, sources, channels])),
                    v: upload(&client, &turned(&v, [batch, sources, channels])),
                    out,
                };
                attend(&client, tensors, &Attention { layout: Layout::ChannelsFirst, ..shape }, SINGLE);
            });
            assert_eq!(first, turned(&last, [batch, positions, channels]), "{shape:?}");
        }
        for (i, (ours, wanted)) in last.iter().zip(by_hand(&shape, &q, &k, &v)).enumerate() {
            // A score is a sum of up to 160 products up to 8, scaled; its rounding is that of the exponent.
            assert!((f64::from(*ours) - wanted).abs() <= 2e-5, "{shape:?} at {i}: {ours}, not {wanted}");
        }
    }
}
