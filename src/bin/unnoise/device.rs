//! Where a command computes.

use clap::ValueEnum;
use unnoise::backend::{self, Backend, BackendError, Opened};

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
