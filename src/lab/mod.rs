//! Floor 5: the laboratory of the plane, where everything that the theory speaks of is known exactly.
//!
//! A data set is a [`Law`], a mixture of Gaussians with classes, so that its density, score and posterior are known at
//! every noise level of a [`Process`]. The samplers of the table walk a [`Cloud`] of points with the exact denoiser, or with
//! a network that learned it. [`Settings`] is what decides what is seen, and its link.
//!
//! | module | has |
//! |---|---|
//! | [`cloud`] | the points that samplers walk, and their noise |
//! | [`law`] | exact densities, scores, posteriors, conditional and guided laws |
//! | [`data`] | the table of data sets, and points of one's own |
//! | [`process`] | the forward processes, and their clock |
//! | [`settings`] | what is seen, and the share link |

pub mod cloud;
pub mod data;
pub mod law;
pub mod process;
pub mod settings;

pub use cloud::{Cloud, CloudNoise};
pub use law::{Asked, Labelled, Law, LawAt, Part, Towards};
pub use process::{Curve, Process};
pub use settings::Settings;
