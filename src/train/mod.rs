//! Floor 4: what a network is trained to do, and training it.
//!
//! [`Trainer`](trainer::Trainer) is a step of training of any module and belongs to whoever drives it, a page too. What is made
//! of it here is [`run`](fn@run): from a recipe and the files of a data set to the files of a model.

#[cfg(feature = "files")]
mod augment;
#[cfg(feature = "files")]
mod draws;
#[cfg(feature = "train")]
pub mod initial;
#[cfg(feature = "files")]
mod numpy;
mod objective;
#[cfg(feature = "files")]
mod process;
#[cfg(feature = "files")]
mod recipe;
#[cfg(feature = "files")]
mod run;
#[cfg(feature = "files")]
mod tasks;
#[cfg(feature = "train")]
pub mod trainer;
#[cfg(feature = "train")]
mod vector;
#[cfg(feature = "files")]
mod vocabulary;

pub use objective::{Example, diffuse, lambda, min_snr, objective, squared_error};
#[cfg(feature = "files")]
pub use recipe::{Network, Precision, Recipe, RecipeError};
#[cfg(feature = "files")]
pub use run::{Job, Outcome, Progress, RunError, curve, run};
#[cfg(feature = "files")]
pub use vocabulary::Vocabulary;
