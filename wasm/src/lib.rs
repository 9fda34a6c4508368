//! The library as a WebAssembly module, whose doors are `unnoise::web`.
//!
//! It is a crate of its own because the whole program is optimised once more when it is linked, as this crate's level says. With the level of the
//! library, which is compiled for size, that leaves all loops without vectors, those of `unnoise-kernels` too.

extern crate unnoise as _;
