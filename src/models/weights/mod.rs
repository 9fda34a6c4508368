//! Safetensors files into modules and back, matched by the module's own parameter names and shapes.
//!
//! Files are read in two passes: their headers first, so that everything that can be refused is refused before anything large
//! comes over a network, and then their tensors one by one, each of which is on the device before the next is read.

mod files;
mod header;
mod plan;
mod read;
mod save;

pub use files::{Answer, Ranges, WeightFiles};
pub use plan::{Plan, Tensors, Wanted};
pub use read::values;
pub use save::{SaveError, save};

use super::folder::FolderError;
use burn::module::Module;
use futures_util::FutureExt;
use thiserror::Error;

/// Why a weights file does not fit a module.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("The weights {file} are not a whole safetensors file ({why}); download them again.")]
    Unreadable { file: String, why: String },
    #[error(
        "The weights {file} are only a Git LFS pointer to the weights; fetch them with `git lfs pull`, or download them."
    )]
    Pointer { file: String },
    #[error("The weights are a LoRA or another adapter (they hold {name:?}); use the folder of a whole model.")]
    Adapter { name: String },
    #[error("The weights {file} are a GGUF file; use safetensors, as save_pretrained of diffusers writes them.")]
    Gguf { file: String },
    #[error(
        "The weights {file} are a pickle or another PyTorch file; use safetensors, as save_pretrained of diffusers writes them."
    )]
    Pickle { file: String },
    #[error("Two of the weights' parts hold the tensor {name:?}; download them again.")]
    Twice { name: String },
    #[error("The weights have no tensor {name:?}, which the configuration needs with shape {expected:?}.")]
    Missing { name: String, expected: Vec<usize> },
    #[error("The weights hold {count} tensors that the configuration has no place for, among them {name:?}.")]
    Unexpected { name: String, count: usize },
    #[error("The weights' tensor {name:?} has shape {got:?}, but the configuration needs {expected:?}.")]
    Shape { name: String, expected: Vec<usize>, got: Vec<usize> },
    #[error("The weights' tensor {name:?} is stored as {got}; F64, F32, F16 and BF16 are supported.")]
    Type { name: String, got: String },
    #[error("The weights' tensor {name:?} holds values that are not finite; download the file again.")]
    NotFinite { name: String },
    #[error(
        "There is no memory left for the weights' tensor {name:?} of {megabytes} MB; free some, or use a smaller model."
    )]
    Memory { name: String, megabytes: u64 },
}

/// Fills every parameter of `module` from the bytes of a safetensors file, or of all its shards, on the module's device.
/// `rename` gives the module's name of a tensor, or `None` for one that is left out.
///
/// # Errors
/// As [`Plan::new`] and [`Plan::read`].
///
/// # Panics
/// Never: memory is not waited for.
pub fn load<M: Module>(
    module: M,
    parts: &[impl AsRef<[u8]>],
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<M, WeightsError> {
    Ok(in_memory(Wanted::of(&module), WeightFiles::in_memory(parts), rename)?.fill(module))
}

fn in_memory(
    wanted: Wanted,
    files: WeightFiles<'_>,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<Tensors, WeightsError> {
    let read = async { Plan::new(wanted, files, rename).await?.read(false).await };
    read.now_or_never().expect("memory is read without waiting")
}

/// The name of a tensor in a file that names tensors as the module does.
pub fn own_name(name: &str) -> Option<String> {
    Some(name.to_owned())
}
