//! unnoise: diffusion models and samplers, in the browser over WebGPU, on the command line, and as a library.
//!
//! The crate is a house of floors; each imports only lower ones (`tests/layers.rs` holds it to that).
//!
//! | floor | modules | knows of |
//! |---|---|---|
//! | 0 | [`math`] | numbers: points, noise levels, schedules, grids, the noise stream |
//! | 1 | [`denoise`] | what a model is to a sampler: predictions, guidance, clipping, inpainting, exact denoisers |
//! | 2 | [`samplers`] | the sampler table, one file a method |
//! | 3 | [`interchange`] | what the settings of diffusers and k-diffusion mean here |
//! | 3 | `backend`, `nn`, `models` | burn: devices, tensors, layers, networks, weights |
//! | 3 | `dataset` | labelled pictures from files |
//! | 4 | [`settings`], [`picture`], [`replay`], [`eval`], `session`, `train` | runs: what one is made of, its frames, recorded ones; what a model is worth; training |
//! | 4 | [`pipeline`] | a folder of weights made runnable: its text, its parts |
//! | 5 | [`lab`] | the laboratory of the plane: exact laws, data sets, processes with a clock |
//! | 6 | `web`, `bin/unnoise` | the browser and the command line |
//!
//! Floors 0 to 2 and `interchange` name neither burn nor wasm, so a sampler runs the same on `f64` and on tensors. Cargo
//! features choose what is compiled above them: `cpu` and `gpu` the backends, `cli` the command line.

#[cfg(feature = "nn")]
pub mod backend;
#[cfg(feature = "files")]
pub mod dataset;
pub mod denoise;
pub mod eval;
pub mod interchange;
pub mod lab;
pub mod math;
#[cfg(feature = "nn")]
pub mod models;
#[cfg(feature = "nn")]
pub mod nn;
pub mod picture;
pub mod pipeline;
pub mod replay;
pub mod samplers;
#[cfg(feature = "nn")]
pub mod session;
pub mod settings;
#[cfg(feature = "nn")]
pub mod train;
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "nn"))]
mod web;
