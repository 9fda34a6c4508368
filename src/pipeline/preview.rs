//! Latents as pictures, without decoding them.

use super::Latents;
use crate::backend::{self, BackendError};
use crate::math::TorchGenerator;
use burn::tensor::{Device, Tensor, TensorData};

/// The colours of a place of the latents as an affine map of its channels, the one that lies nearest to what the
/// autoencoder decodes by least squares, on patches of latents that are normal in every channel.
#[derive(Clone, Debug)]
pub(crate) struct Preview {
    /// For each colour, a weight for each channel, and then the offset.
    map: Vec<Vec<f64>>,
    /// How many pixels a place is wide and high.
    factor: usize,
}

/// Pictures that the map is fitted on.
const PICTURES: usize = 4;
/// Their height and width in places.
const SIDE: usize = 16;
/// Places of them with one value, on each side: the map sees single places, but the decoder their surroundings too.
const PATCH: usize = 4;
/// Of their noise.
const SEED: u64 = 0;
/// Added to the diagonal of the normal equations, which a channel that the decoder ignores would leave without a solution.
const RIDGE: f64 = 1e-6;

impl Preview {
    /// Fits the map to an autoencoder whose latents have so many channels.
    ///
    /// # Errors
    /// The device failed.
    pub async fn fit(latents: &Latents, channels: usize, device: &Device) -> Result<Self, BackendError> {
        let patches = TorchGenerator::new(SEED).randn(PICTURES * channels * (SIDE / PATCH).pow(2));
        let z: Vec<f32> = (0..PICTURES * channels * SIDE * SIDE)
            .map(|i| {
                let (plane, row, column) = (i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE);
                patches[(plane * SIDE / PATCH + row / PATCH) * (SIDE / PATCH) + column / PATCH]
            })
            .collect();
        let data = TensorData::new(z.clone(), [PICTURES, channels, SIDE, SIDE]);
        let pictures = latents.decode(Tensor::from_data(data, device));
        let [_, colours, ..] = pictures.dims();
        let factor = latents.factor();
        let y = pooled(&backend::read(pictures).await?, SIDE * factor, factor);

        let places = PICTURES * SIDE * SIDE;
        let at = |values: &[f32], planes: usize, place: usize, k: usize| {
            let (picture, inner) = (place / (SIDE * SIDE), place % (SIDE * SIDE));
            f64::from(values[(picture * planes + k) * SIDE * SIDE + inner])
        };
        let inputs = |place| (0..channels).map(|k| at(&z, channels, place, k)).chain([1.0]).collect::<Vec<_>>();
        // Normal equations: `(Z^T Z) w = Z^T y`, one right side a colour.
        let mut equations = vec![vec![0.0; channels + 1 + colours]; channels + 1];
        for place in 0..places {
            let z = inputs(place);
            for (row, zi) in equations.iter_mut().zip(&z) {
                let right = (0..colours).map(|c| at(&y, colours, place, c));
                row.iter_mut().zip(z.iter().copied().chain(right)).for_each(|(sum, v)| *sum += zi * v / places as f64);
            }
        }
        (0..=channels).for_each(|i| equations[i][i] += RIDGE);
        let solved = solve(equations);
        let map = (0..colours).map(|c| solved.iter().map(|row| row[c]).collect()).collect();
        Ok(Self { map, factor })
    }

    /// The pictures `[batch, colours, factor height, factor width]` of latents `[batch, channels, height, width]`.
    pub fn show(&self, latents: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
        let (f, size) = (self.factor, channels * height * width);
        let mut out = Vec::with_capacity(latents.len() / channels * self.map.len() * f * f);
        for z in latents.chunks_exact(size) {
            for weights in &self.map {
                let colour = |place: usize| {
                    let sum = weights.iter().take(channels).enumerate();
                    sum.map(|(k, w)| w * f64::from(z[k * height * width + place])).sum::<f64>() + weights[channels]
                };
                let small: Vec<f32> = (0..height * width).map(|place| colour(place) as f32).collect();
                let pixel = |row: usize, column: usize| small[row / f * width + column / f];
                out.extend(
                    (0..height * f)
                        .flat_map(|row| (0..width * f).map(move |column| (row, column)))
                        .map(|(r, c)| pixel(r, c)),
                );
            }
        }
        out
    }
}

/// Planes of `side` by `side` values, averaged over squares of `factor` by `factor`.
fn pooled(values: &[f32], side: usize, factor: usize) -> Vec<f32> {
    let small = side / factor;
    let mean = |plane: &[f32], row: usize, column: usize| {
        let inside =
            (0..factor).flat_map(|r| (0..factor).map(move |c| (row * factor + r) * side + column * factor + c));
        inside.map(|i| plane[i]).sum::<f32>() / (factor * factor) as f32
    };
    let plane = |plane: &[f32]| (0..small * small).map(|i| mean(plane, i / small, i % small)).collect::<Vec<_>>();
    values.chunks_exact(side * side).flat_map(plane).collect()
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
    fn a_place_becomes_a_square_of_its_colour() {
        let preview = Preview { map: vec![vec![1.0, 0.0, 0.5], vec![0.0, -2.0, 0.0]], factor: 2 };
        // One picture of two channels and one row of two places.
        let shown = preview.show(&[1.0, 2.0, 3.0, 4.0], [2, 1, 2]);
        let (first, second) = ([1.5, 1.5, 2.5, 2.5], [-6.0, -6.0, -8.0, -8.0]);
        assert_eq!(shown, [first, first, second, second].concat());
        assert_eq!(pooled(&[1.0, 3.0, 5.0, 7.0, 0.0, 0.0, 0.0, 1.0], 2, 2), [4.0, 0.25]);
    }
}
