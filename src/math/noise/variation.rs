//! Noise on the way from one seed's to another's.

use super::Noise;
use crate::math::{Latent, Level};
use std::f64::consts::FRAC_PI_2;

/// Spherical linear interpolation (Shoemake 1985, doi 10.1145/325334.325242): `sin((1 - s) w) / sin(w) a + sin(s w) / sin(w) b`
/// with the angle `w` between the two. Its length stays that of standard normal draws, which a straight mixture's does not. At
/// 0 and 1 it is one of the two, to the bit.
pub fn slerp(a: Vec<f32>, b: Vec<f32>, share: f64) -> Vec<f32> {
    if share <= 0.0 {
        return a;
    }
    if share >= 1.0 {
        return b;
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    // Of one direction, as of one seed, there is no arc.
    let [first, second] = match libm::acos(cosine.clamp(-1.0, 1.0)) {
        angle if libm::sin(angle) > 1e-6 => [1.0 - share, share].map(|part| libm::sin(part * angle) / libm::sin(angle)),
        _ => [1.0 - share, share],
    };
    a.iter().zip(&b).map(|(a, b)| (first * f64::from(*a) + second * f64::from(*b)) as f32).collect()
}

/// The same of two sources whose draws cannot be read back. Independent draws stand at a right angle, up to `1 / sqrt(n)` of `n`
/// numbers, and mixed as if they did they are standard normal at every share.
pub struct Between<N> {
    pub first: N,
    pub second: N,
    /// Of the second, from 0 to 1.
    pub share: f64,
}

impl<N> Between<N> {
    fn mix<X: Latent>(&mut self, mut draw: impl FnMut(&mut N) -> X) -> X {
        match self.share {
            share if share <= 0.0 => draw(&mut self.first),
            share if share >= 1.0 => draw(&mut self.second),
            share => {
                let angle = share * FRAC_PI_2;
                draw(&mut self.first).mix(libm::cos(angle), &draw(&mut self.second), libm::sin(angle))
            }
        }
    }
}

impl<X: Latent, N: Noise<X>> Noise<X> for Between<N> {
    fn normal(&mut self, like: &X) -> X {
        self.mix(|noise| noise.normal(like))
    }

    fn over(&mut self, like: &X, from: Level, to: Level) -> X {
        self.mix(|noise| noise.over(like, from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BrownianPath, TorchGenerator};
    use super::*;

    fn drawn(seed: u64) -> Vec<f32> {
        TorchGenerator::new(seed).randn(784)
    }

    fn length(values: &[f32]) -> f64 {
        values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_ends_are_the_two_to_the_bit() {
        assert_eq!(slerp(drawn(3), drawn(9), 0.0), drawn(3));
        assert_eq!(slerp(drawn(3), drawn(9), 1.0), drawn(9));
        assert_eq!(slerp(drawn(3), drawn(3), 0.5), drawn(3));
    }

    /// What torch 2.15.0 computes in float64 with the formula above: `torch.manual_seed(3)`, `torch.manual_seed(9)`, share 0.25.
    #[test]
    fn between_them_it_is_the_arc() {
        let found = slerp(drawn(3), drawn(9), 0.25);
        for (value, expected) in found.iter().zip(TORCH) {
            assert!((f64::from(*value) - expected).abs() < 2e-6, "{value} {expected}");
        }
        // The lengths of both are within some percent of sqrt(784), and so is that of every point of the arc.
        for share in [0.25, 0.5, 0.75] {
            let length = length(&slerp(drawn(3), drawn(9), share));
            assert!((length / 28.0 - 1.0).abs() < 0.05, "{length}");
        }
    }

    const TORCH: [f64; 4] = [-0.480366856, 0.057757710, -0.305361720, -0.537905763];

    #[test]
    fn a_path_between_two_is_one_of_them_at_the_ends_and_standard_normal_between() {
        let at = |share: f64, seed: u64| {
            let mut noise = Between { first: BrownianPath::new(seed), second: BrownianPath::new(seed + 1), share };
            let [from, to] = [0.8, 0.3].map(|sigma: f64| Level { t: 0.0, alpha: (1.0 - sigma * sigma).sqrt(), sigma });
            [noise.over(&[0.0; 2], from, to), noise.normal(&[0.0; 2])]
        };
        assert_eq!(at(1.0, 5), at(0.0, 6));
        let squares = (0..2000).flat_map(|seed| at(0.3, 2 * seed)).flatten().map(|v| v * v);
        let variance = squares.sum::<f64>() / 8000.0;
        // Three standard deviations of the variance of so many draws.
        assert!((variance - 1.0).abs() < 3.0 * (2.0f64 / 8000.0).sqrt(), "{variance}");
    }
}
