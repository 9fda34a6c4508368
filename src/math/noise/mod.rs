//! The noise of a run.

mod brownian;
mod mersenne;
mod torch;
mod variation;

pub use brownian::{BrownianPath, Seeded, node_seed};
pub use mersenne::Mersenne;
pub use torch::TorchGenerator;
pub use variation::{Between, slerp};

use super::Level;

/// A source of standard normal noise.
pub trait Noise<X> {
    /// A fresh standard normal draw of the shape of `like`.
    fn normal(&mut self, like: &X) -> X;

    /// The standard normal that belongs to the way from one level to another. A source of independent draws makes a
    /// fresh one; a Brownian path answers with its own increment, so that other steps over the same levels meet the
    /// same noise.
    fn over(&mut self, like: &X, from: Level, to: Level) -> X {
        let _ = (from, to);
        self.normal(like)
    }
}

impl<X, N: Noise<X> + ?Sized> Noise<X> for &mut N {
    fn normal(&mut self, like: &X) -> X {
        (**self).normal(like)
    }

    fn over(&mut self, like: &X, from: Level, to: Level) -> X {
        (**self).over(like, from, to)
    }
}
