//! Fuzz targets for everything that reads what comes from outside: no input may panic, take longer than [`run::SLOW`] or
//! hold more than [`memory::LIMIT`].
//!
//! `cargo xtask fuzz` runs the targets. Inputs are mutations of those in `corpus/`, made by a generator of fixed seed; one that leads to
//! something new, such as another error, is mutated in turn. An input that once was a fault is kept in `corpus/` as `fault-…`.

pub mod memory;
mod mutate;
pub mod run;
pub mod targets;
