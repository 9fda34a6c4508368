//! Floor 4: what a model is worth: exact likelihood, variational bound, inversion, and its samples beside real pictures.
//!
//! These measures read every estimate of the model back, so they are for the command line, the laboratory of the plane and the
//! tests. All arithmetic but the network's own is in `f64`, on flat lists of numbers: a sample is `dimensions()` numbers, in
//! row-major order.
//!
//! | module | measures | after |
//! |---|---|---|
//! | [`likelihood`] | `ln p(x)` by the probability-flow ODE | Song et al. 2021, arXiv 2011.13456, section 4.3 |
//! | [`bound`](mod@bound) | every term of the variational bound on `-ln p(x)` | Ho et al. 2020, arXiv 2006.11239, equation 5 |
//! | [`inversion`] | the noise that a sampler would turn into `x` | Song et al. 2021, arXiv 2010.02502, section 5.4 |
//! | [`convergence`], [`comparison`] | how far a sampler ends from its limit, by evaluations | Lu et al. 2022, arXiv 2206.00927, section 4 |
//! | `quality` | how real, varied and new samples are | Heusel et al. 2017, arXiv 1706.08500, and others |
//! | [`pixels`] | bits per dimension of pictures with 256 grey levels | Theis et al. 2016, arXiv 1511.01844, section 3.1 |

pub mod bound;
#[cfg(feature = "lab")]
pub mod comparison;
#[cfg(feature = "lab")]
pub mod convergence;
pub(crate) mod decoder;
mod dopri5;
mod exact;
pub mod inversion;
pub mod likelihood;
#[cfg(all(feature = "autodiff", not(target_family = "wasm")))]
mod network;
pub mod pixels;
#[cfg(feature = "cli")]
pub mod quality;
pub mod statistics;

pub use bound::{Bound, Variance, bound, prior, term};
pub use decoder::Decoder;
pub use dopri5::{Control, OdeError};
pub use inversion::{Inversion, invert};
pub use likelihood::{Likelihood, LogDensity, Probes, standard_normal};
#[cfg(all(feature = "autodiff", not(target_family = "wasm")))]
pub use network::{Found, NoLabel, Pictures, RoundTrip};

use crate::math::Level;

/// A denoiser whose estimates are read back as plain numbers.
pub trait Readable {
    /// What can go wrong in a model that computes elsewhere.
    type Error: std::error::Error;

    /// Numbers of one sample.
    fn dimensions(&self) -> usize;

    /// The estimate of `x_0` at `x`: any number of samples, one after the other.
    ///
    /// # Errors
    /// The device failed.
    fn denoise(&self, x: &[f64], at: Level) -> Result<Vec<f64>, Self::Error>;
}

/// The estimate at one sample, and how it changes with the sample.
#[derive(Clone, Debug, PartialEq)]
pub struct PulledBack {
    /// The estimate of `x_0`.
    pub x0: Vec<f64>,
    /// For each probe `v` the product `v^T J` with the Jacobian `J = d x_0 / d x`.
    pub products: Vec<Vec<f64>>,
}

/// A denoiser that can be differentiated.
pub trait Differentiable: Readable {
    /// The estimate of `x_0` at the one sample `x`, and its derivative along each of the `probes`.
    ///
    /// # Errors
    /// The device failed.
    fn pull_back(&self, x: &[f64], at: Level, probes: &[Vec<f64>]) -> Result<PulledBack, Self::Error>;
}
