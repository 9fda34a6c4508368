//! The attention against sums in double precision.

mod common;

use common::{Random, SINGLE, computed, distinct, numbers, upload};
use cubecl::Device;
use cubecl::client::Client;
use unnoise_kernels_gpu::shapes::Layer;
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

struct Case {
    shape: Attention,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
}

impl Case {
    fn new(shape: Attention) -> Self {
        let Attention { batch, positions, sources, heads, width, .. } = shape;
        let [queries, keys] = [positions, sources].map(|rows| batch * rows * heads * width);
        // Scores of up to some tens, so that the largest one matters.
        let q = numbers(queries, 1).iter().map(|q| 8.0 * q).collect();
        Self { shape, q, k: numbers(keys, 2), v: numbers(keys, 3) }
    }

    /// `[batch, positions, channels]`, whatever the layout is.
    fn on_gpu(&self, client: &Client) -> Vec<f32> {
        let Attention { batch, positions, sources, heads, width, layout } = self.shape;
        let channels = heads * width;
        let laid = |x: &[f32], rows: usize| match layout {
            Layout::ChannelsLast => upload(client, x),
            Layout::ChannelsFirst => upload(client, &turned(x, [batch, rows, channels])),
        };
        let out = computed(client, self.q.len(), |out| {
            let tensors =
                Attended { q: laid(&self.q, positions), k: laid(&self.k, sources), v: laid(&self.v, sources), out };
            attend(client, tensors, &self.shape, SINGLE);
        });
        match layout {
            Layout::ChannelsLast => out,
            Layout::ChannelsFirst => turned(&out, [batch, channels, positions]),
        }
    }

    fn check(&self, client: &Client) {
        // A score is a sum of up to 512 products up to 8, scaled; its rounding is that of the exponent.
        self.check_within(2e-5, client);
    }

    fn check_within(&self, allowed: f64, client: &Client) {
        let ours = self.on_gpu(client);
        for (i, (ours, wanted)) in ours.iter().zip(by_hand(&self.shape, &self.q, &self.k, &self.v)).enumerate() {
            assert!((f64::from(*ours) - wanted).abs() <= allowed, "{:?} at {i}: {ours}, not {wanted}", self.shape);
        }
    }
}

#[test]
fn the_layers_of_networks() {
    let client = Device::default().client();
    for layer in distinct() {
        if let Layer::Attention(shape) = layer {
            Case::new(shape).check(&client);
        }
    }
}

#[test]
fn odd_sizes_in_both_layouts() {
    let client = Device::default().client();
    for (batch, positions, sources, heads, width) in
        [(1, 5, 3, 3, 7), (2, 33, 65, 2, 40), (1, 31, 97, 3, 33), (1, 1, 1, 1, 1)]
    {
        for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
            Case::new(Attention { batch, positions, sources, heads, width, layout }).check(&client);
        }
    }
    // A head whose channels are shared out over workgroups, unevenly.
    let (layout, width) = (Layout::ChannelsFirst, 200);
    Case::new(Attention { batch: 1, positions: 34, sources: 35, heads: 2, width, layout }).check(&client);
}

#[test]
fn random_shapes() {
    let client = Device::default().client();
    let mut random = Random(1);
    for _ in 0..40 {
        let [batch, heads] = [random.up_to(2), random.up_to(3)];
        let [positions, sources] = [random.up_to(100), random.up_to(100)];
        let layout = [Layout::ChannelsLast, Layout::ChannelsFirst][random.up_to(2) - 1];
        Case::new(Attention { batch, positions, sources, heads, width: random.up_to(64), layout }).check(&client);
    }
}

/// All scores are far from 0, on either side, so that their exponentials are infinite or 0.
#[test]
fn scores_beyond_the_range_of_exponentials() {
    let client = Device::default().client();
    for far in [120.0, -120.0] {
        let (layout, width) = (Layout::ChannelsLast, 40);
        let mut case = Case::new(Attention { batch: 1, positions: 33, sources: 45, heads: 1, width, layout });
        case.q.iter_mut().step_by(width).for_each(|q| *q = far * (width as f32).sqrt());
        case.k.iter_mut().step_by(width).for_each(|k| *k = 1.0);
        // A score has as many digits before the point as it has here, and its rounding is that of the exponent.
        case.check_within(1e-4, &client);
    }
}
