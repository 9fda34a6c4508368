//! Floor 4: what a network is trained to do.

mod objective;

pub use objective::{Example, diffuse, objective};
