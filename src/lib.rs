//! unnoise: diffusion models and samplers, in the browser over WebGPU, on the command line, and as a library.

pub mod denoise;
pub mod math;
pub mod samplers;
