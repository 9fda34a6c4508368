//! Floor 5: the laboratory of the plane, where everything that the theory speaks of is known exactly.
//!
//! A data set is a [`Distribution`], a mixture of Gaussians with classes, so that its density, score and posterior are known at
//! every noise level of a [`Process`]. The samplers of the table step a [`Cloud`] of points with the exact denoiser, or with
//! a network that learned it. [`Settings`] is what decides what is seen, and its link.
//!
//! | module | has |
//! |---|---|
//! | [`cloud`] | the points that samplers step, and their noise |
//! | [`distribution`] | exact densities, scores, posteriors, conditional and guided distributions |
//! | [`data`] | the table of data sets, and points of one's own |
//! | [`process`] | the forward processes, and their clock |
//! | [`chain`](mod@chain) | a forward process as a Markov chain, and in closed form |
//! | [`anneal`] | simulated annealing, and how many chains reach the deepest valley |
//! | [`latent`] | an autoencoder of a curve, and the distribution of its latents |
//! | [`discrete`] | masked words: the absorbing process, its exact reverse, likelihood and bound |
//! | [`distance`] | how far two clouds are from each other |
//! | [`plane`] | the part of the plane that is looked at, in cells |
//! | [`run`] | the panes: samplers that step clouds |
//! | `learn`, `learned` | a network in training, and as a denoiser (cargo features `cpu`, `train` and `autodiff`) |
//! | `classifier` | a classifier in training, and as a guide (the same features) |
//! | [`numbers`] | likelihood, bound, race and inversion |
//! | [`settings`] | what is seen, and the share link |

pub mod anneal;
pub mod chain;
#[cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]
pub mod classifier;
pub mod cloud;
pub mod data;
pub mod discrete;
pub mod distance;
pub mod distribution;
#[cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]
mod draws;
pub mod latent;
#[cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]
pub mod learn;
#[cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]
pub mod learned;
pub mod numbers;
pub mod plane;
pub mod process;
pub mod run;
pub mod settings;

pub use anneal::{Annealing, Cooled, Deepest, Energy};
pub use chain::{chain, closed_form};
pub use cloud::{Cloud, CloudNoise};
pub use discrete::{Masking, Words};
pub use distance::Distances;
pub use distribution::{Asked, Distribution, Labelled, LawAt, Part, Towards};
pub use latent::Autoencoder;
pub use plane::Plane;
pub use process::{Curve, Process};
pub use settings::Settings;
