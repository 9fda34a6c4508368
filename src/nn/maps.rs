//! Where attention to a context looks.

use burn::tensor::{Device, Tensor, TensorData};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What transformers attend to besides the picture.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// `[batch, sources, width]`.
    pub states: &'a Tensor<3>,
    /// What records where they look; nothing of it is computed otherwise.
    pub recorder: Option<&'a Recorder<'a>>,
}

/// The attention maps of a batch: for each image and place the weight of each source, averaged over heads, over the layers
/// that attend to the context and over evaluations. At every place the weights of all sources sum to 1.
#[derive(Debug)]
pub struct AttentionMaps {
    size: [usize; 2],
    /// By the number of the first of some images, the sum over their layers, `[images, height, width, sources]`, and how many
    /// there are in it.
    sums: Mutex<BTreeMap<usize, (Tensor<4>, usize)>>,
}

/// Records the maps of some images of a batch.
#[derive(Clone, Debug)]
pub struct Recorder<'a> {
    pub maps: &'a AttentionMaps,
    /// Where in the batch they are.
    pub rows: Range<usize>,
    /// The number of the first of them among all that there are maps of.
    pub first: usize,
}

impl AttentionMaps {
    /// Maps of this height and width, whatever those of the layers.
    pub fn new(size: [usize; 2]) -> Self {
        Self { size, sums: Mutex::default() }
    }

    /// The maps since the last call, `[images, height, width, sources]`; `None` where nothing was attended to.
    pub fn take(&self) -> Option<Tensor<4>> {
        let sums = std::mem::take(&mut *self.sums());
        let means = sums.into_values().map(|(sum, layers)| sum / layers as f64);
        let means: Vec<_> = means.collect();
        (!means.is_empty()).then(|| Tensor::cat(means, 0))
    }
}

impl AttentionMaps {
    /// Several images may be under way at once, each with an entry of its own.
    fn sums(&self) -> MutexGuard<'_, BTreeMap<usize, (Tensor<4>, usize)>> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder<'_> {
    /// Adds a layer's weights `[batch, heads, positions, sources]` at the positions of a picture of this height and width.
    pub fn add(&self, weights: &Tensor<4>, [height, width]: [usize; 2]) {
        let [_, heads, _, sources] = weights.dims();
        let images = self.rows.len();
        let own = weights.clone().narrow(0, self.rows.start, images);
        let mean = own.sum_dim(1) / heads as f64;
        let [rows, columns] = self.maps.size;
        let by_row = mean.reshape([images, 1, height, width * sources]);
        let by_row = resize(by_row, [height, rows]).reshape([images, rows, width, sources]);
        let map = resize(by_row, [width, columns]);
        let mut sums = self.maps.sums();
        let sum = match sums.remove(&self.first) {
            Some((sum, layers)) => (sum + map, layers + 1),
            None => (map, 1),
        };
        sums.insert(self.first, sum);
    }
}

/// Brings the third axis to another length.
fn resize(x: Tensor<4>, [from, to]: [usize; 2]) -> Tensor<4> {
    if from == to {
        return x;
    }
    let [first, second, _, last] = x.dims();
    let weights = resizing(from, to, &x.device()).expand([first, second, to, from]);
    weights.matmul(x).reshape([first, second, to, last])
}

/// The weights `[1, 1, to, from]` of the old places in each new one: means over what it covers where there are fewer, linear
/// interpolation between centres where there are more (torch's `area` and `bilinear`). Each row sums to 1.
fn resizing(from: usize, to: usize, device: &Device) -> Tensor<4> {
    let ratio = from as f64 / to as f64;
    let weight = |place: usize, source: usize| {
        if from > to {
            let (start, end) = (place as f64 * ratio, (place + 1) as f64 * ratio);
            let covered = end.min((source + 1) as f64) - start.max(source as f64);
            return covered.max(0.0) / ratio;
        }
        let at = ((place as f64 + 0.5) * ratio - 0.5).clamp(0.0, (from - 1) as f64);
        (1.0 - (at - source as f64).abs()).max(0.0)
    };
    let values = (0..to).flat_map(|place| (0..from).map(move |source| weight(place, source) as f32));
    Tensor::from_data(TensorData::new(values.collect(), [1, 1, to, from]), device)
}
