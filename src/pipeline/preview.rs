//! Latents as pictures, without decoding them.

use super::Latents;
use crate::backend::{self, BackendError};
use crate::math::TorchGenerator;
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};

/// The pixels of a place of the latents as an affine map of its channels and those of the eight places around it, the one that
/// lies nearest to what the autoencoder decodes by least squares, on patches of normal latents.
#[derive(Clone, Debug)]
pub(crate) struct Preview {
    /// For each pixel of a place and each of its colours, a weight for each place around it and each channel, and then the
    /// offset: `[factor * factor * colours][9 * channels + 1]`.
    map: Vec<Vec<f64>>,
    colours: usize,
    /// How many pixels a place is wide and high.
    factor: usize,
}

/// Pictures that the map is fitted on.
const PICTURES: usize = 8;
/// Their height and width in places.
const SIDE: usize = 16;
/// Places of them that share a value, on each side, as pictures have surfaces.
const PATCH: usize = 4;
/// What the patches, and the noise over them that pictures have at their edges, are scaled by.
const SURFACE: f32 = 0.9;
const DETAIL: f32 = 0.3;
/// Of their noise.
const SEED: u64 = 0;
/// Added to the diagonal of the normal equations, which a channel that the decoder ignores would leave without a solution.
const RIDGE: f64 = 1e-3;

impl Preview {
    /// Fits the map to an autoencoder whose latents have so many channels.
    ///
    /// # Errors
    /// The device failed.
    pub async fn fit(latents: &Latents, channels: usize, device: &Device) -> Result<Self, BackendError> {
        let mut generator = TorchGenerator::new(SEED);
        let patches = generator.randn(PICTURES * channels * (SIDE / PATCH).pow(2));
        let detail = generator.randn(PICTURES * channels * SIDE * SIDE);
        let value = |(i, detail): (usize, f32)| {
            let (plane, row, column) = (i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE);
            let patch = patches[(plane * SIDE / PATCH + row / PATCH) * (SIDE / PATCH) + column / PATCH];
            SURFACE * patch + DETAIL * detail
        };
        let z: Vec<f32> = detail.into_iter().enumerate().map(value).collect();
        let data = TensorData::new(z.clone(), [PICTURES, channels, SIDE, SIDE]);
        let pictures = Tensor::cat(latents.decode_parts(&Tensor::from_data(data, device)), 0);
        let [_, colours, ..] = pictures.dims();
        let factor = latents.factor();
        let y = backend::read(pictures).await?;

        let (inputs, outputs) = (9 * channels + 1, factor * factor * colours);
        let size = channels * SIDE * SIDE;
        // Normal equations: `(Z^T Z) w = Z^T y`, one right side a pixel and colour.
        let mut equations = vec![vec![0.0; inputs + outputs]; inputs];
        let places = (PICTURES * SIDE * SIDE) as f64;
        for (z, y) in z.chunks_exact(size).zip(y.chunks_exact(colours * (SIDE * factor).pow(2))) {
            for place in 0..SIDE * SIDE {
                let z = around(z, [channels, SIDE, SIDE], place);
                let pixel = |k| f64::from(y[pixel(k, place, [colours, SIDE, SIDE], factor)]);
                let right: Vec<f64> = (0..outputs).map(pixel).collect();
                for (row, zi) in equations.iter_mut().zip(&z) {
                    row.iter_mut().zip(z.iter().chain(&right)).for_each(|(sum, v)| *sum += zi * v / places);
                }
            }
        }
        (0..inputs).for_each(|i| equations[i][i] += RIDGE);
        let solved = solve(equations);
        let map = (0..outputs).map(|k| solved.iter().map(|row| row[k]).collect()).collect();
        Ok(Self { map, colours, factor })
    }

    /// The pictures `[batch, colours, factor height, factor width]` of latents `[batch, channels, height, width]`.
    pub fn show(&self, latents: &[f32], shape @ [channels, height, width]: [usize; 3]) -> Vec<f32> {
        let size = channels * height * width;
        let area = self.colours * height * width * self.factor.pow(2);
        let mut out = vec![0.0; latents.len() / size * area];
        for (z, out) in latents.chunks_exact(size).zip(out.chunks_exact_mut(area)) {
            for place in 0..height * width {
                let z = around(z, shape, place);
                for (k, weights) in self.map.iter().enumerate() {
                    let value = weights.iter().zip(&z).map(|(w, v)| w * v).sum::<f64>();
                    out[pixel(k, place, [self.colours, height, width], self.factor)] = value as f32;
                }
            }
        }
        out
    }

    /// The same on the latents' device, where nothing is read back.
    pub fn show_on_device(&self, latents: Tensor<4>) -> Tensor<4> {
        let ([batch, channels, height, width], factor) = (latents.dims(), self.factor);
        let device = latents.device();
        let (weights, offsets): (Vec<_>, Vec<_>) =
            self.map.iter().filter_map(|row| row.split_last()).map(|(offset, row)| (row, *offset as f32)).unzip();
        let weights = weights.into_iter().flatten().map(|weight| *weight as f32).collect();
        let weights = Tensor::from_data(TensorData::new(weights, [self.map.len(), channels, 3, 3]), &device);
        let offsets = Tensor::<1>::from_data(TensorData::new(offsets, [self.map.len()]), &device);
        let options = ConvOptions { stride: [1, 1], padding: [(0, 0); 2], dilation: [1, 1], groups: 1 };
        let pixels = conv2d(latents.pad((1, 1, 1, 1), PadMode::Edge), weights, Some(offsets), options);
        let pixels = pixels.reshape([batch, factor, factor, self.colours, height, width]);
        pixels.permute([0, 3, 4, 1, 5, 2]).reshape([batch, self.colours, height * factor, width * factor])
    }
}

/// The channels of a place and of those around it, and 1; beyond the edge the nearest place stands.
fn around(z: &[f32], [channels, height, width]: [usize; 3], place: usize) -> Vec<f64> {
    let (row, column) = (place / width, place % width);
    let near = |at: usize, by: usize, most: usize| (at + by).saturating_sub(1).min(most - 1);
    let value = |i: usize| {
        let (k, row, column) = (i / 9, near(row, i / 3 % 3, height), near(column, i % 3, width));
        f64::from(z[(k * height + row) * width + column])
    };
    (0..9 * channels).map(value).chain([1.0]).collect()
}

/// Where value `k` of a place's pixels stands in a picture `[colours, factor height, factor width]`.
fn pixel(k: usize, place: usize, [colours, height, width]: [usize; 3], factor: usize) -> usize {
    let (inner, colour) = (k / colours, k % colours);
    let (row, column) = (place / width * factor + inner / factor, place % width * factor + inner % factor);
    (colour * height * factor + row) * width * factor + column
}

/// Gauss' elimination of positive definite `rows`, whose right sides follow the square; the solution's rows.
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = rows.len();
    for i in 0..n {
        let pivot = rows[i].clone();
        let pivot: Vec<f64> = pivot.iter().map(|v| v / pivot[i]).collect();
        for (k, row) in rows.iter_mut().enumerate() {
            let by = row[i];
            match k == i {
                true => row.clone_from(&pivot),
                false => row.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= by * p),
            }
        }
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let rows = vec![vec![4.0, 1.0, 6.0, 1.0], vec![1.0, 3.0, 7.0, 0.0]];
        let solved = solve(rows);
        for (row, expected) in solved.iter().zip([[1.0, 3.0 / 11.0], [2.0, -1.0 / 11.0]]) {
            assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{solved:?}");
        }
    }

    #[test]
    fn a_place_becomes_the_pixels_of_its_weights() {
        // Of one channel: the first pixel of a place shows itself, the second its right neighbour and an offset.
        let weights =
            |at: usize, offset: f64| (0..9).map(|i| if i == at { 1.0 } else { 0.0 }).chain([offset]).collect();
        let map = vec![weights(4, 0.0), weights(5, 0.5), weights(4, 0.0), weights(1, 0.0)];
        let preview = Preview { map, colours: 1, factor: 2 };
        // One picture of a row of two places, whose neighbours beyond the edge are themselves.
        assert_eq!(preview.show(&[1.0, 2.0], [1, 1, 2]), [1.0, 2.5, 2.0, 2.5, 1.0, 1.0, 2.0, 2.0]);
    }

    #[cfg(feature = "cpu")]
    #[test]
    fn the_device_shows_the_same() {
        use crate::backend::cpu;
        let (colours, factor, shape @ [channels, height, width]) = (3, 2, [4, 3, 5]);
        let mut generator = TorchGenerator::new(1);
        let weights = |_| generator.randn_f64(9 * channels + 1);
        let preview = Preview { map: (0..factor * factor * colours).map(weights).collect(), colours, factor };
        let latents = TorchGenerator::new(2).randn(2 * channels * height * width);
        let data = TensorData::new(latents.clone(), [2, channels, height, width]);
        let shown = preview.show_on_device(Tensor::from_data(data, &cpu::device()));
        assert_eq!(shown.dims(), [2, colours, height * factor, width * factor]);
        let (shown, expected) = (cpu::read(shown), preview.show(&latents, shape));
        // Sums of 37 terms of about 1 in single precision.
        let worst = shown.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{worst}");
    }

    #[test]
    fn colours_and_channels_keep_their_places() {
        // The second channel is the first colour, and the other way round.
        let weights = |at: usize| (0..19).map(|i| if i == at { 1.0 } else { 0.0 }).collect();
        let preview = Preview { map: vec![weights(13), weights(4)], colours: 2, factor: 1 };
        let latents = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(preview.show(&latents, [2, 2, 1]), [3.0, 4.0, 1.0, 2.0, 7.0, 8.0, 5.0, 6.0]);
    }
}
