//! The library as a WebAssembly module, whose doors are `unnoise::web`.
//!
//! It is a crate of its own because link-time optimisation runs at the opt-level of the crate that is linked. At that of the library, which is
//! compiled for size, no loop is vectorised, those of `unnoise-kernels` included.

extern crate unnoise as _;
