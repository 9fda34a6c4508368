//! unnoise: diffusion models and samplers, in the browser over WebGPU, on the command line, and as a library.
//!
//! Without features it is mathematics on plain numbers. A mixture of two Gaussians, whose denoiser is exact, and a sample of it:
//!
//! ```
//! use unnoise::denoise::{Mixture, ideal::Component};
//! use unnoise::math::{Discrete, Latent, Noise, Spacing, noise::BrownianPath};
//! use unnoise::samplers::{Run, ode};
//!
//! let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
//! let grid = Spacing::Karras { rho: 7.0 }.grid(&schedule, 20)?;
//! let model = Mixture::new([-2.0, 2.0].map(|mean| Component { weight: 1.0, mean: [mean], std: 0.1 }).into()).unwrap();
//! let mut noise = BrownianPath::new(7);
//! let start = noise.normal(&[0.0]).scale(grid.first().marginal_std());
//! let end = ode::heun(Run::new(start, &grid, &schedule, &model, &mut noise)).last().unwrap().x;
//! assert!((end[0].abs() - 2.0).abs() < 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate is a house of floors; each imports only lower ones (`tests/layers.rs` holds it to that).
//!
//! | floor | modules | knows of |
//! |---|---|---|
//! | 0 | [`math`] | numbers: points, noise levels, schedules, grids, the noise stream |
//! | 1 | [`denoise`] | what a model is to a sampler: predictions, guidance, clipping, inpainting, exact denoisers |
//! | 2 | [`samplers`] | the sampler table, one file a method |
//! | 3 | [`interchange`] | what the settings of diffusers and k-diffusion mean here |
//! | 3 | `backend`, `models` | burn: devices, tensors, networks, weights |
//! | 3 | `dataset` | labelled pictures from files |
//! | 4 | [`settings`], [`picture`], [`replay`], [`eval`], `session`, `train` | runs: what one is made of, its frames, recorded ones; what a model is worth; training |
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
#[cfg(feature = "interchange")]
pub mod interchange;
#[cfg(feature = "lab")]
pub mod lab;
pub mod math;
#[cfg(feature = "nn")]
pub mod models;
pub mod picture;
#[cfg(feature = "replay")]
pub mod replay;
pub mod samplers;
#[cfg(feature = "nn")]
pub mod session;
#[cfg(feature = "settings")]
pub mod settings;
#[cfg(feature = "nn")]
pub mod train;
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "nn"))]
mod web;
pub mod words;
