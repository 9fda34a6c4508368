//! A cloud of points of the plane: what the lab's samplers step.

use crate::denoise::{Denoiser, Mixture};
use crate::math::noise::node_seed;
use crate::math::{Latent, Level, Noise, TorchGenerator};

/// Points of the plane that are stepped together.
///
/// To a sampler a cloud is one sample. The norms that a method takes, for the size of a Langevin step or the error of an
/// adaptive one, are those of all its numbers, as k-diffusion takes them over a batch and the authors of Song et al. 2021
/// (arXiv 2011.13456) over theirs. In the plane that is also what makes them right: the norm of one point's score is next
/// to 0 beside a mode, and a step chosen by it would be endless there and would depend on the point, so that the chain would
/// settle on another distribution. The norm over a cloud is a number of the noise level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloud(pub Vec<[f64; 2]>);

impl Cloud {
    /// From single precision, row-major, as networks and the page have it; half a point at the end is left out.
    pub fn from_f32(values: &[f32]) -> Self {
        let (points, _) = values.as_chunks::<2>();
        Self(points.iter().map(|p| p.map(f64::from)).collect())
    }

    /// In single precision, row-major: `2 len` numbers.
    pub fn to_f32(&self) -> Vec<f32> {
        self.0.as_flattened().iter().map(|v| *v as f32).collect()
    }

    /// Each point mapped by `f`.
    pub fn map(&self, f: impl FnMut(&[f64; 2]) -> [f64; 2]) -> Self {
        Self(self.0.iter().map(f).collect())
    }

    fn with(&self, other: &Self, f: impl Fn(&[f64; 2], &[f64; 2]) -> [f64; 2]) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| f(a, b)).collect())
    }

    /// This number at every place.
    fn everywhere(&self, value: f64) -> Self {
        Self(vec![[value; 2]; self.0.len()])
    }

    /// The mean of `f` over all numbers.
    fn over_all(&self, f: impl Fn(f64) -> f64) -> f64 {
        let numbers = self.0.as_flattened();
        numbers.iter().map(|v| f(*v)).sum::<f64>() / numbers.len() as f64
    }
}

impl Latent for Cloud {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        self.with(other, |x, y| x.mix(a, y, b))
    }

    fn scale(&self, a: f64) -> Self {
        self.map(|x| x.scale(a))
    }

    fn times(&self, other: &Self) -> Self {
        self.with(other, Latent::times)
    }

    fn over(&self, other: &Self) -> Self {
        self.with(other, Latent::over)
    }

    fn exp(&self) -> Self {
        self.map(Latent::exp)
    }

    fn larger(&self, other: &Self) -> Self {
        self.with(other, Latent::larger)
    }

    fn clamp(&self, low: f64, high: f64) -> Self {
        self.map(|x| Latent::clamp(x, low, high))
    }

    /// Of the whole cloud.
    fn rms(&self) -> Self {
        self.everywhere(self.over_all(|v| v * v).sqrt())
    }

    /// Of the whole cloud.
    fn mean(&self) -> Self {
        self.everywhere(self.over_all(|v| v))
    }

    /// Of the whole cloud.
    fn quantile_of_magnitudes(&self, p: f64) -> Self {
        let mut sorted: Vec<f64> = self.0.as_flattened().iter().map(|v| v.abs()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let place = p * last as f64;
        let (below, share) = (place.floor() as usize, place.fract());
        let value = |i: usize| sorted.get(i.min(last)).copied().unwrap_or_default();
        self.everywhere(value(below) * (1.0 - share) + value(below + 1) * share)
    }
}

/// The exact denoiser, point by point.
impl Denoiser<Cloud> for Mixture<2> {
    fn denoise(&self, x: &Cloud, at: Level) -> Cloud {
        let here = self.at(at);
        x.map(|x| here.posterior(x).x0)
    }
}

/// The noise of a cloud: one generator, and for each draw one `torch.randn(n, 2)`, so that a run can be replayed in
/// Python.
pub struct CloudNoise(TorchGenerator);

impl CloudNoise {
    /// The stream of `torch.Generator().manual_seed(seed)`.
    pub fn new(seed: u32) -> Self {
        Self(TorchGenerator::new(seed.into()))
    }

    pub(super) fn from_stream(stream: Stream, seed: u32) -> Self {
        Self(stream.of(seed))
    }

    /// The next draw, of `points` points.
    pub fn draw(&mut self, points: usize) -> Cloud {
        Cloud::from_f32(&self.0.randn(2 * points))
    }
}

impl Noise<Cloud> for CloudNoise {
    fn normal(&mut self, like: &Cloud) -> Cloud {
        self.draw(like.0.len())
    }
}

/// What a seed is used for besides the noise that a run starts with: each has a generator of its own, as numbers drawn from one
/// would not be independent of the noise.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Data,
    Moves,
    Chances,
}

impl Stream {
    pub fn of(self, seed: u32) -> TorchGenerator {
        TorchGenerator::new(node_seed(seed.into(), self as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the implementation on arrays, which a cloud's numbers are laid out like.
    #[test]
    fn a_cloud_is_one_sample_of_all_its_numbers() {
        let (x, y) = ([0.5, -2.0, 3.0, 0.25], [1.0, 0.5, -4.0, 2.0]);
        let cloud = |v: [f64; 4]| Cloud(vec![[v[0], v[1]], [v[2], v[3]]]);
        let same = |got: Cloud, expected: [f64; 4]| {
            let near = got.0.as_flattened().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15);
            assert!(near, "{got:?} is not {expected:?}");
        };
        let (a, b) = (cloud(x), cloud(y));
        same(a.mix(2.0, &b, -3.0), x.mix(2.0, &y, -3.0));
        same(a.scale(-0.5), x.scale(-0.5));
        same(a.times(&b), x.times(&y));
        same(a.over(&b), x.over(&y));
        same(Latent::exp(&a), Latent::exp(&x));
        same(a.larger(&b), x.larger(&y));
        same(a.clamp(-1.0, 0.4), Latent::clamp(&x, -1.0, 0.4));
        same(a.rms(), x.rms());
        same(a.mean(), x.mean());
        for p in [0.0, 0.3, 0.9, 1.0] {
            same(a.quantile_of_magnitudes(p), x.quantile_of_magnitudes(p));
        }
    }

    #[test]
    fn a_draw_is_one_randn_of_the_seed() {
        let mut noise = CloudNoise::new(7);
        let (first, second) = (noise.draw(40), noise.normal(&Cloud(vec![[0.0; 2]; 3])));
        let mut generator = TorchGenerator::new(7);
        assert_eq!(first.to_f32(), generator.randn(80));
        assert_eq!(second.to_f32(), generator.randn(6));
    }
}
