//! A point of sample space.

/// A point of sample space: the only thing a sampler computes with.
///
/// There is deliberately no way to read a value back. A sampler written against this trait cannot block on a device,
/// which a browser forbids, and it runs unchanged on exact `f64` vectors and on tensors.
pub trait Latent: Clone {
    /// `a * self + b * other`, elementwise.
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self;

    /// `a * self`.
    fn scale(&self, a: f64) -> Self;

    /// `self * other`, elementwise.
    fn times(&self, other: &Self) -> Self;

    /// `self / other`, elementwise.
    fn over(&self, other: &Self) -> Self;

    /// `e^self`, elementwise.
    fn exp(&self) -> Self;

    /// `max(|self|, |other|)`, elementwise.
    fn larger(&self, other: &Self) -> Self;

    /// Every value brought into `low..=high`; an end may be infinite.
    fn clamp(&self, low: f64, high: f64) -> Self;

    /// The root mean square of the values, at every place. Where `self` is a batch of pictures each has its own, so that
    /// no picture depends on its neighbours.
    fn rms(&self) -> Self;

    /// The mean of the values, at every place; of each picture on its own.
    fn mean(&self) -> Self;

    /// The `p` quantile of the values' magnitudes, at every place; of each picture on its own. Between two values it is
    /// interpolated linearly, as numpy's and torch's `quantile` do. `p` lies in 0..=1.
    fn quantile_of_magnitudes(&self, p: f64) -> Self;
}

impl Latent for f64 {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        a * self + b * other
    }

    fn scale(&self, a: f64) -> Self {
        a * self
    }

    fn times(&self, other: &Self) -> Self {
        self * other
    }

    fn over(&self, other: &Self) -> Self {
        self / other
    }

    fn exp(&self) -> Self {
        f64::exp(*self)
    }

    fn larger(&self, other: &Self) -> Self {
        self.abs().max(other.abs())
    }

    fn clamp(&self, low: f64, high: f64) -> Self {
        f64::clamp(*self, low, high)
    }

    fn rms(&self) -> Self {
        self.abs()
    }

    fn mean(&self) -> Self {
        *self
    }

    fn quantile_of_magnitudes(&self, _: f64) -> Self {
        self.abs()
    }
}

impl<const N: usize> Latent for [f64; N] {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        std::array::from_fn(|i| a * self[i] + b * other[i])
    }

    fn scale(&self, a: f64) -> Self {
        self.map(|v| a * v)
    }

    fn times(&self, other: &Self) -> Self {
        std::array::from_fn(|i| self[i] * other[i])
    }

    fn over(&self, other: &Self) -> Self {
        std::array::from_fn(|i| self[i] / other[i])
    }

    fn exp(&self) -> Self {
        self.map(f64::exp)
    }

    fn larger(&self, other: &Self) -> Self {
        std::array::from_fn(|i| self[i].abs().max(other[i].abs()))
    }

    fn clamp(&self, low: f64, high: f64) -> Self {
        self.map(|v| v.clamp(low, high))
    }

    fn rms(&self) -> Self {
        [(self.iter().map(|v| v * v).sum::<f64>() / N as f64).sqrt(); N]
    }

    fn mean(&self) -> Self {
        [self.iter().sum::<f64>() / N as f64; N]
    }

    fn quantile_of_magnitudes(&self, p: f64) -> Self {
        let mut sorted = self.map(f64::abs);
        sorted.sort_unstable_by(f64::total_cmp);
        let place = p * (N - 1) as f64;
        let (below, share) = (place.floor() as usize, place.fract());
        [sorted[below] * (1.0 - share) + sorted[(below + 1).min(N - 1)] * share; N]
    }
}
