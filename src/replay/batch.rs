//! All particles of a recorded run as one point.

use super::record::Point;
use crate::math::Latent;

/// The particles of a run, which some methods of the libraries couple.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch(pub Vec<Point>);

impl Batch {
    fn map(&self, f: impl Fn(&Point) -> Point) -> Self {
        Self(self.0.iter().map(f).collect())
    }

    fn zip(&self, other: &Self, f: impl Fn(&Point, &Point) -> Point) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| f(a, b)).collect())
    }
}

impl Latent for Batch {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        self.zip(other, |x, y| x.mix(a, y, b))
    }

    fn scale(&self, a: f64) -> Self {
        self.map(|x| x.scale(a))
    }

    fn times(&self, other: &Self) -> Self {
        self.zip(other, Latent::times)
    }

    fn over(&self, other: &Self) -> Self {
        self.zip(other, Latent::over)
    }

    fn exp(&self) -> Self {
        self.map(Latent::exp)
    }

    fn larger(&self, other: &Self) -> Self {
        self.zip(other, Latent::larger)
    }

    fn clamp(&self, low: f64, high: f64) -> Self {
        self.map(|x| x.clamp(low, high))
    }

    /// The mean over the batch of each particle's own: the norms of score-SDE's corrector are such means.
    fn rms(&self) -> Self {
        let mean = self.0.iter().map(|x| x.rms()[0]).sum::<f64>() / self.0.len() as f64;
        self.map(|_| [mean; 2])
    }

    fn mean(&self) -> Self {
        self.map(Latent::mean)
    }

    fn quantile_of_magnitudes(&self, p: f64) -> Self {
        self.map(|x| x.quantile_of_magnitudes(p))
    }
}
