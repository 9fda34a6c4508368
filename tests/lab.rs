//! The laboratory of the plane against the theory that it shows.
#![cfg(feature = "lab")]

mod lab {
    mod distribution;
    mod numbers;
    mod run;
    mod trajectories;
}
