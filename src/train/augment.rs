//! Augmentation that the network is conditioned on (Karras et al. 2022, arXiv 2206.00364, appendix F.2), so that it does not leak
//! into samples: while sampling the condition is "no augmentation".

use crate::math::TorchGenerator;
use serde::Deserialize;
use std::f64::consts::TAU;

/// Features of a picture's augmentation: mirrored, shift across and down, cosine of the hue's angle less one, and its sine.
pub const FEATURES: usize = 5;

/// The changes that a picture may be given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augment {
    /// Of each kind of change, each image on its own.
    pub probability: f64,
    /// Largest shift in whole pixels, either way.
    #[serde(default)]
    pub shift: usize,
    /// Value of what a shift uncovers.
    #[serde(default = "white")]
    pub fill: f32,
    /// Labels whose pictures may be mirrored.
    #[serde(default)]
    pub flip: Vec<usize>,
    /// Largest rotation of the hue about the axis of greys, in turns, either way.
    #[serde(default)]
    pub hue: f64,
}

fn white() -> f32 {
    1.0
}

impl Augment {
    /// Changes pictures of this shape (channels, height, width), row-major one after the other; returns what the network is
    /// to be conditioned on for each. Every number is drawn for every picture, so that one kind of change does not move the next one's.
    pub fn change(
        &self,
        x0: &mut [f32],
        shape: [usize; 3],
        labels: &[usize],
        generator: &mut TorchGenerator,
    ) -> Vec<[f32; FEATURES]> {
        let [hits, parts] = [(); 2].map(|()| generator.rand_f64(3 * labels.len()));
        let size: usize = shape.iter().product();
        let one = |(i, (picture, label)): (usize, (&mut [f32], &usize))| {
            let of = |k: usize| (hits[k * labels.len() + i] < self.probability, parts[k * labels.len() + i]);
            let [(flips, across), (shifts, down), (turns, angle)] = [of(0), of(1), of(2)];
            let mut features = [0.0; FEATURES];
            if flips && self.flip.contains(label) {
                picture.chunks_exact_mut(shape[2]).for_each(<[f32]>::reverse);
                features[0] = 1.0;
            }
            if shifts && self.shift > 0 {
                let reach = self.shift as f64;
                let by = [across, down].map(|part| (part * (2.0 * reach + 1.0)).floor() - reach);
                shift(picture, shape, by.map(|by| by as isize), self.fill);
                [features[1], features[2]] = by.map(|by| (by / reach) as f32);
            }
            if turns && self.hue > 0.0 {
                let angle = TAU * self.hue * (2.0 * angle - 1.0);
                turn_hue(picture, angle);
                [features[3], features[4]] = [angle.cos() - 1.0, angle.sin()].map(|v| v as f32);
            }
            features
        };
        x0.chunks_exact_mut(size).zip(labels).enumerate().map(one).collect()
    }
}

fn shift(picture: &mut [f32], [channels, height, width]: [usize; 3], [across, down]: [isize; 2], fill: f32) {
    let old = picture.to_vec();
    for c in 0..channels {
        for y in 0..height {
            for x in 0..width {
                let from = [y.checked_add_signed(-down), x.checked_add_signed(-across)];
                picture[(c * height + y) * width + x] = match from {
                    [Some(y), Some(x)] if y < height && x < width => old[(c * height + y) * width + x],
                    _ => fill,
                };
            }
        }
    }
}

/// Colours turned about the axis of greys, which stay (Rodrigues' rotation formula). The picture has three channels.
fn turn_hue(picture: &mut [f32], angle: f64) {
    let (cos, part, cross) = (angle.cos(), (1.0 - angle.cos()) / 3.0, angle.sin() / 3f64.sqrt());
    let [own, next, last] = [cos + part, part - cross, part + cross].map(|v| v as f32);
    let plane = picture.len() / 3;
    for i in 0..plane {
        let [r, g, b] = [0, 1, 2].map(|c| picture[c * plane + i]);
        let turned = [own * r + next * g + last * b, last * r + own * g + next * b, next * r + last * g + own * b];
        for (c, value) in turned.into_iter().enumerate() {
            picture[c * plane + i] = value.clamp(-1.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [3, 2, 2];

    fn augment(flip: &[usize], shift: usize, hue: f64) -> Augment {
        Augment { probability: 1.0, shift, fill: 1.0, flip: flip.to_vec(), hue }
    }

    fn picture() -> Vec<f32> {
        (0..12).map(|i| i as f32 / 12.0 - 0.5).collect()
    }

    #[test]
    fn what_is_told_is_what_was_done() {
        let mut generator = TorchGenerator::new(3);
        let mut x = picture();
        assert_eq!(augment(&[1], 0, 0.0).change(&mut x, SHAPE, &[1], &mut generator), [[1.0, 0.0, 0.0, 0.0, 0.0]]);
        let was = picture();
        assert_eq!(x[..4], [was[1], was[0], was[3], was[2]]);

        let mut x = picture();
        let [_, across, down, ..] = augment(&[], 1, 0.0).change(&mut x, SHAPE, &[1], &mut generator)[0];
        let mut expected = picture();
        shift(&mut expected, SHAPE, [across as isize, down as isize], 1.0);
        assert_eq!(x, expected);

        let none = Augment { probability: 0.0, ..augment(&[1], 1, 0.5) };
        let mut x = picture();
        assert_eq!(none.change(&mut x, SHAPE, &[1], &mut generator), [[0.0; FEATURES]]);
        assert_eq!(x, picture());
    }

    #[test]
    fn a_shift_uncovers_the_fill() {
        let mut x = vec![0.1, 0.2, 0.3, 0.4];
        shift(&mut x, [1, 2, 2], [1, 0], 1.0);
        assert_eq!(x, [1.0, 0.1, 1.0, 0.3]);
        let mut x = vec![0.1, 0.2, 0.3, 0.4];
        shift(&mut x, [1, 2, 2], [0, -1], 1.0);
        assert_eq!(x, [0.3, 0.4, 1.0, 1.0]);
    }

    #[test]
    fn a_third_of_a_turn_swaps_the_colours_and_leaves_grey() {
        let mut x = vec![0.8, 0.3, -0.4, 0.3, 0.1, 0.3];
        turn_hue(&mut x, TAU / 3.0);
        // Red goes to green, green to blue, blue to red.
        for (got, expected) in x.iter().zip([0.1, 0.3, 0.8, 0.3, -0.4, 0.3]) {
            assert!((got - expected).abs() < 1e-6, "{x:?}");
        }
    }
}
