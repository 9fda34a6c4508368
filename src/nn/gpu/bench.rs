//! The kernels of this device, timed.

use crate::backend::{self, BackendError};
use burn::backend::DispatchDevice;
use burn::tensor::Device;
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::server::ServerError;
pub use unnoise_kernels_gpu::bench::layers;
pub use unnoise_kernels_gpu::shapes::Timed;
use unnoise_kernels_gpu::{Adapter, bench};

/// A device whose kernels can be timed.
pub struct Bench(Client, Adapter);

impl Bench {
    /// Of a device over WebGPU, and of no other.
    pub fn new(device: &Device) -> Option<Self> {
        match device.as_dispatch() {
            DispatchDevice::Cube(cube) if backend::is_webgpu(device) => {
                Some(Self(cube.client(), backend::adapter(device)))
            }
            _ => None,
        }
    }

    /// The most operations a second, of a plain loop of multiplications and additions.
    ///
    /// # Errors
    /// A device that fails.
    pub async fn peak(&self) -> Result<f64, BackendError> {
        bench::peak(&self.0).await.map_err(failed)
    }

    /// Operations a second of a layer.
    ///
    /// # Errors
    /// A device that fails, or that refuses the kernel or its memory.
    pub async fn rate(&self, layer: &Timed) -> Result<f64, BackendError> {
        layer.rate(&self.0, self.1).await.map_err(failed)
    }
}

fn failed(e: ServerError) -> BackendError {
    BackendError::Failed(backend::gist(&e.to_string()))
}
