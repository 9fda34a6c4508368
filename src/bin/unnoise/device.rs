//! Where a command computes.

use clap::ValueEnum;
use unnoise::backend::{self, Backend, BackendError, Opened};

#[derive(Clone, Copy, ValueEnum)]
pub enum Device {
    Cpu,
    Gpu,
}

impl Device {
    pub async fn open(self) -> Result<Opened, BackendError> {
        backend::open(match self {
            Self::Cpu => Backend::Cpu,
            Self::Gpu => Backend::WebGpu,
        })
        .await
    }
}
