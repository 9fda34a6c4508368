//! What the theory has numbers for, of what the laboratory shows.
//!
//! What can be integrated is; what has to be drawn is averaged until its standard error is small, or over several seeds, and says so.

mod bound;
mod entropy;
mod likelihood;
mod race;
mod round_trip;

pub use bound::{PRECISION, Terms, bound};
pub use entropy::entropy;
pub use likelihood::{Accuracy, LogLikelihood, likelihood};
pub use race::{EVALUATIONS, Floor, Race, SEEDS, within};
pub use round_trip::{RoundTrip, round_trip, to_noise};
