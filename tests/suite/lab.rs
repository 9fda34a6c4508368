//! The laboratory of the plane against the theory that it shows.
#![cfg(feature = "lab")]

mod discrete;
mod distribution;
mod latent;
mod numbers;
mod run;
mod trajectories;
