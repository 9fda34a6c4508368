//! The laboratory of the plane against the theory that it shows.
#![cfg(feature = "lab")]

mod lab {
    mod law;
    mod numbers;
    mod run;
    mod walks;
}
