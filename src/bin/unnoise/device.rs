//! Where a command computes, and the model that it computes with.

use clap::ValueEnum;
use std::error::Error;
use std::path::Path;
use unnoise::backend::{self, Backend, BackendError, Opened};
use unnoise::pipeline::Pipeline;

#[derive(Clone, Copy, ValueEnum)]
pub enum Device {
    /// The processor
    Cpu,
    /// Any GPU, over Vulkan, Metal or DirectX (needs `--features gpu`)
    Gpu,
    /// An NVIDIA GPU (needs `--features cuda`)
    Cuda,
}

impl Device {
    pub async fn open(self) -> Result<Opened, BackendError> {
        backend::open(match self {
            Self::Cpu => Backend::Cpu,
            Self::Gpu => Backend::WebGpu,
            Self::Cuda => Backend::Cuda,
        })
        .await
    }
}

/// Opens the device and the model in `dir`, and says on the terminal what was assumed of the model.
pub async fn load(dir: &Path, device: Device) -> Result<(Pipeline, Opened), Box<dyn Error>> {
    let opened = device.open().await?;
    let model = Pipeline::from_dir(dir, &opened.device)?;
    model.notes.iter().for_each(|note| eprintln!("note: {note}"));
    Ok((model, opened))
}
