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
}

impl Latent for f64 {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        a * self + b * other
    }

    fn scale(&self, a: f64) -> Self {
        a * self
    }
}

impl<const N: usize> Latent for [f64; N] {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        std::array::from_fn(|i| a * self[i] + b * other[i])
    }

    fn scale(&self, a: f64) -> Self {
        self.map(|v| a * v)
    }
}
