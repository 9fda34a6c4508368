//! Where a command computes, and the model that it computes with.

use clap::ValueEnum;
use std::error::Error;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend, BackendError, Opened};
use unnoise::pipeline::Pipeline;
use unnoise::words::nearest;

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

/// The folder whose name a folder that is not there may be a slip of.
fn meant(dir: &Path) -> Option<PathBuf> {
    let name = dir.file_name().filter(|_| !dir.exists())?.to_string_lossy().into_owned();
    let beside = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = beside.read_dir().ok()?.flatten().filter(|entry| entry.path().is_dir());
    let names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    nearest(&name, names.iter().map(String::as_str)).map(|name| dir.with_file_name(name))
}

/// Opens the device and the model in `dir`, and says on the terminal what was assumed of the model.
pub async fn load(dir: &Path, device: Device) -> Result<(Pipeline, Opened), Box<dyn Error>> {
    if let Some(meant) = meant(dir) {
        return Err(format!("there is no folder {}; did you mean {}?", dir.display(), meant.display()).into());
    }
    let opened = device.open().await?;
    let model = Pipeline::from_dir(dir, &opened.device)?;
    model.notes.iter().for_each(|note| eprintln!("note: {note}"));
    Ok((model, opened))
}
