//! unnoise: diffusion models and samplers, in the browser over WebGPU, on the command line, and as a library.
//!
//! Without cargo features the crate is mathematics, denoisers and samplers, on `libm` and `thiserror` alone. A sampler is a
//! function from a [`Run`](samplers::Run) to an iterator of steps, and sees the model only as a
//! [`Denoiser`](denoise::Denoiser). Here the model is exact, a mixture of two Gaussians:
//!
//! ```
//! use unnoise::denoise::ideal::{Component, Mixture};
//! use unnoise::math::{Discrete, Spacing, TorchGenerator, noise::BrownianPath};
//! use unnoise::samplers::{Run, ode};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
//!     let grid = Spacing::Trailing.grid(&schedule, 20)?;
//!     let gaussian = |mean| Component { weight: 1.0, mean: [mean], std: 0.1 };
//!     let model = Mixture::new(vec![gaussian(-2.0), gaussian(2.0)]).ok_or("the weights are positive")?;
//!     for seed in 0..8 {
//!         let start = TorchGenerator::new(seed).randn_f64(1)[0] * grid.first().marginal_std();
//!         let mut noise = BrownianPath::new(seed);
//!         let run = Run::new([start], &grid, &schedule, &model, &mut noise);
//!         let [sample] = ode::heun(run).last().ok_or("a grid of 20 steps")?.x;
//!         println!("{sample:.3}");
//!         assert!((sample.abs() - 2.0).abs() < 0.5);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! With the feature `cli` there are networks, files and the CPU. A folder of weights, as diffusers saves it, makes pictures:
//!
//! ```
//! # #[cfg(feature = "cli")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use unnoise::{backend::cpu, dataset::pictures, picture, pipeline::Pipeline, settings::Settings};
//!
//! let device = cpu::device();
//! let model = Pipeline::from_dir("models/selftest".as_ref(), &device)?;
//! let settings = Settings { sampler: "heun".to_owned(), steps: 4, images: 4, guidance: 1.0, ..Settings::default() };
//! let images = pollster::block_on(model.sample(&settings))?;
//! let (sheet, width, height) = picture::sheet(&images.bytes, images.shape);
//! pictures::write(&std::env::temp_dir().join("unnoise.png"), &sheet, [images.shape[0], height, width])?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "cli"))]
//! # fn main() {}
//! ```
//!
//! # Floors
//!
//! The crate is a house of floors; each imports only lower ones (`tests/suite/layers.rs` holds it to that).
//!
//! | floor | modules | contents | feature |
//! |---|---|---|---|
//! | 0 | [`math`], [`picture`], [`words`] | points, noise levels, schedules, grids, the noise stream; values to pixels | |
//! | 1 | [`denoise`] | what a model is to a sampler: predictions, guidance, clipping, inpainting, exact denoisers | |
//! | 2 | [`samplers`] | the sampler table, one file a method | |
//! | 3 | `interchange` | what configurations of diffusers and k-diffusion mean here | `interchange` |
//! | 3 | `backend`, `nn`, `models` | burn: devices, tensors, layers, networks, weights | `nn` |
//! | 3 | `dataset` | data sets and pictures from files | `files` |
//! | 3 | `animation` | runs as GIF, APNG and ZIP | `animation` |
//! | 4 | `settings`, `session` | what decides a run, links, and runs of networks | `settings`, `nn` |
//! | 4 | `pipeline` | a folder of weights made runnable: its text, its parts, its pictures | `text`, `nn` |
//! | 4 | `replay` | recorded trajectories of other libraries | `replay` |
//! | 5 | [`eval`], `train` | what a model is worth; training | `train`, `files` |
//! | 5 | `provenance` | what saved pictures say of how they were made | `provenance` |
//! | 6 | `lab` | the laboratory of the plane: exact distributions, data sets, processes | `lab` |
//! | 7 | `web`, `bin/unnoise` | the browser and the command line | `cli` |
//!
//! `cpu`, `gpu` and `cuda` choose burn's backends, `autodiff` adds derivatives of networks. burn is exported as
//! `unnoise::burn`, in the version that its tensors here have.

#[cfg(feature = "animation")]
pub mod animation;
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
#[cfg(feature = "nn")]
pub mod nn;
pub mod picture;
#[cfg(feature = "text")]
pub mod pipeline;
#[cfg(feature = "provenance")]
pub mod provenance;
#[cfg(feature = "replay")]
pub mod replay;
pub mod samplers;
#[cfg(feature = "nn")]
pub mod session;
#[cfg(feature = "settings")]
pub mod settings;
#[cfg(feature = "nn")]
pub mod train;
#[cfg(all(
    target_family = "wasm",
    target_os = "unknown",
    any(feature = "engine", feature = "film", feature = "laboratory", feature = "link")
))]
mod web;
pub mod words;

#[cfg(feature = "nn")]
pub use burn;
