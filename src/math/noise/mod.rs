//! The noise of a run.

mod torch;

pub use torch::TorchGenerator;

/// A source of standard normal noise.
pub trait Noise<X> {
    /// A fresh standard normal draw of the shape of `like`.
    fn normal(&mut self, like: &X) -> X;
}
