//! How good samples are: what a classifier sees in them, and how near they lie to the training pictures.
//!
//! | module | measures | after |
//! |---|---|---|
//! | [`frechet`](mod@frechet) | distance of two Gaussians fitted to features | Heusel et al. 2017, arXiv 1706.08500, equation 6 |
//! | [`manifold`] | precision and recall | Kynkäänniemi et al. 2019, arXiv 1904.06991, algorithm 1 |
//! | [`memory`] | whether samples are copies of training pictures | Gu et al. 2023, arXiv 2310.02664, section 2 |
//!
//! The features are those of a small classifier of our own and not of the Inception network, so these figures are no FID:
//! they compare only with figures by the same classifier.

mod album;
mod data;
pub mod frechet;
pub mod manifold;
pub mod memory;
mod points;
pub mod record;
pub mod samples;
mod score;
mod symmetric;

pub use album::Album;
pub use data::{AlbumError, Albums};
pub use frechet::{FitError, Gaussian, frechet};
pub use manifold::Manifold;
pub use points::{Neighbour, Points, nearest};
pub use score::{Floor, NEIGHBOURS, Reference, Score, ScoreError};
