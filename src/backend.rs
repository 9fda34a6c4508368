//! Floor 3: the only file that opens a device, uploads to it, and reads or draws from it.

#[cfg(all(feature = "gpu", feature = "engine", target_family = "wasm", target_os = "unknown"))]
pub mod canvas;
#[cfg(feature = "threads")]
mod cores;
mod noise;
mod present;
mod reading;

pub use noise::ImageNoise;
pub use present::Present;
pub use reading::{Begun, Reading, Work, begin};

use crate::math::Latent;
use burn::tensor::{DType, Device, ExecutionError, Tensor, TensorData};
use thiserror::Error;

/// Where tensors are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// burn's `flex`, on the processor.
    Cpu,
    /// burn's `wgpu`, over WebGPU in a browser and over Vulkan, Metal or DirectX elsewhere.
    WebGpu,
    /// burn's `cuda`, on a GPU of NVIDIA's.
    Cuda,
}

impl Backend {
    /// As in links and file names.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::WebGpu => "webgpu",
            Self::Cuda => "cuda",
        }
    }
}

/// A device, ready for tensors.
pub struct Opened {
    pub device: Device,
    /// What it is, in words for a person.
    pub adapter: String,
}

/// Whether pictures go through a network one by one. On the CPU a batch gains little, and the order of the sums in its
/// products depends on its size: a picture's last bits would depend on how many others are drawn beside it.
pub fn one_by_one(device: &Device) -> bool {
    #[cfg(feature = "cpu")]
    return device.clone().inner() == Device::flex();
    #[cfg(not(feature = "cpu"))]
    {
        let _ = device;
        false
    }
}

/// Whether what is independent can be computed at once on the processor.
pub const ON_CORES: bool = cfg!(feature = "threads");

/// What `compute` makes of each number below `count`, on all cores where there are threads.
#[cfg(feature = "threads")]
pub fn on_cores<T: Send>(count: usize, compute: impl Fn(usize) -> T + Sync) -> Vec<T> {
    cores::each(count, compute)
}

/// What `compute` makes of each number below `count`.
#[cfg(not(feature = "threads"))]
pub fn on_cores<T>(count: usize, compute: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(compute).collect()
}

/// Whether `device` computes beside the program: what is handed to it is done in its own time, and only a reading waits for it.
pub fn computes_beside(device: &Device) -> bool {
    !one_by_one(device)
}

/// Whether tensors on `device` are computed with over WebGPU.
#[cfg(feature = "gpu")]
pub fn is_webgpu(device: &Device) -> bool {
    gpu::card(device).is_some()
}

/// The kind of adapter that `device` is of, where it computes over WebGPU.
#[cfg(feature = "gpu")]
pub fn adapter(device: &Device) -> unnoise_kernels_gpu::Adapter {
    gpu::card(device).map_or(unnoise_kernels_gpu::Adapter::Card, |card| card.adapter)
}

/// What a device can hold, in bytes; `None` where nobody says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The largest tensor.
    pub tensor: Option<u64>,
    /// All weights together.
    pub memory: Option<u64>,
    /// Whether it does well with weights of 16 bits.
    pub half: bool,
}

/// What `device` can hold.
pub fn limits(device: &Device) -> Limits {
    let tensor = largest(device);
    // Weights on a graphics card take none of the processor's memory.
    let half = tensor.is_some() && device.supports_dtype(DType::F16);
    Limits { tensor, memory: MEMORY.filter(|_| tensor.is_none()), half }
}

#[cfg(feature = "gpu")]
fn largest(device: &Device) -> Option<u64> {
    gpu::card(device).map(|card| card.largest)
}

#[cfg(not(feature = "gpu"))]
fn largest(_device: &Device) -> Option<u64> {
    None
}

/// Beside weights in the 4 GiB that WebAssembly can address: the program, what it computes with, and pictures.
#[cfg(target_family = "wasm")]
const WORK: u64 = 256 << 20;

/// What weights can have of the processor's memory.
#[cfg(target_family = "wasm")]
const MEMORY: Option<u64> = Some((4 << 30) - WORK);
#[cfg(not(target_family = "wasm"))]
const MEMORY: Option<u64> = None;

/// Why a device cannot be used, or no longer.
#[derive(Debug, Error)]
pub enum BackendError {
    #[error("This build has no {} backend; rebuild with `--features {feature}`.", .backend.id())]
    NotCompiled { backend: Backend, feature: &'static str },
    #[error("No GPU could be opened ({0}); use the CPU backend instead.")]
    Unavailable(String),
    #[error("The device failed during the computation ({0}); start again, with fewer images or on the CPU backend.")]
    Failed(String),
    #[error("The graphics card cannot draw on this canvas ({0}); run without it, and the pictures are read back.")]
    Canvas(String),
}

/// Opens `backend`. A process opens the GPU once.
///
/// # Errors
/// A backend that this build does not have, a machine without a usable GPU.
pub async fn open(backend: Backend) -> Result<Opened, BackendError> {
    match backend {
        #[cfg(feature = "cpu")]
        Backend::Cpu => Ok(Opened { device: cpu::device(), adapter: "CPU".to_owned() }),
        #[cfg(not(feature = "cpu"))]
        Backend::Cpu => Err(BackendError::NotCompiled { backend, feature: "cpu" }),
        #[cfg(feature = "gpu")]
        Backend::WebGpu => gpu::open().await,
        #[cfg(not(feature = "gpu"))]
        Backend::WebGpu => Err(BackendError::NotCompiled { backend, feature: "gpu" }),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Ok(Opened { device: Device::cuda(0), adapter: "CUDA".to_owned() }),
        #[cfg(not(feature = "cuda"))]
        Backend::Cuda => Err(BackendError::NotCompiled { backend, feature: "cuda" }),
    }
}

/// The values of `tensor`, row-major. Never blocks, so it works in a browser.
///
/// # Errors
/// A device that was lost, ran out of memory or refused a kernel since it was opened.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, BackendError> {
    let failed = |e: ExecutionError| BackendError::Failed(gist(&e.to_string()));
    let data = tensor.into_data_async().await.map_err(failed)?;
    faultless()?;
    data.try_into_vec().map_err(|e| BackendError::Failed(e.to_string()))
}

/// Whether nothing went wrong that no call has returned.
fn faultless() -> Result<(), BackendError> {
    #[cfg(feature = "gpu")]
    if let Some(fault) = gpu::FAULT.get() {
        return Err(BackendError::Failed(fault.clone()));
    }
    Ok(())
}

/// `values`, of one picture or of one of its planes, on `device` for every picture of a batch of this shape.
pub fn spread(values: &[f32], shape: [usize; 4], device: &Device) -> Tensor<4> {
    let [_, _, height, width] = shape;
    let planes = values.len() / (height * width);
    Tensor::<4>::from_data(TensorData::new(values.to_vec(), [1, planes, height, width]), device).expand(shape)
}

impl Latent for Tensor<4> {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        self.scale(a) + other.scale(b)
    }

    fn scale(&self, a: f64) -> Self {
        self.clone().mul_scalar(a)
    }

    fn times(&self, other: &Self) -> Self {
        self.clone() * other.clone()
    }

    fn over(&self, other: &Self) -> Self {
        self.clone() / other.clone()
    }

    fn exp(&self) -> Self {
        self.clone().exp()
    }

    fn larger(&self, other: &Self) -> Self {
        self.clone().abs().max_pair(other.clone().abs())
    }

    fn clamp(&self, low: f64, high: f64) -> Self {
        self.clone().clamp(low, high)
    }

    /// Of each picture on its own.
    fn rms(&self) -> Self {
        let [images, ..] = self.dims();
        let squares = self.clone().powi_scalar(2).reshape([images as i32, -1]).mean_dim(1);
        squares.sqrt().reshape([images, 1, 1, 1]).expand(self.dims())
    }

    /// Of each picture on its own.
    fn mean(&self) -> Self {
        let [images, ..] = self.dims();
        let means = self.clone().reshape([images as i32, -1]).mean_dim(1);
        means.reshape([images, 1, 1, 1]).expand(self.dims())
    }

    /// Of each picture on its own. No device sorts without being waited for, so the value is found by halving the range
    /// that it can lie in and counting, and then taken from the picture itself.
    fn quantile_of_magnitudes(&self, p: f64) -> Self {
        let [images, channels, height, width] = self.dims();
        let values = channels * height * width;
        let magnitudes = self.clone().abs().reshape([images, values]);
        let place = p * (values - 1) as f64;
        let (wanted, share) = (place.floor() + 1.0, place.fract());
        let up_to = |limit: &Tensor<2>| magnitudes.clone().lower_equal(limit.clone());
        let count = |limit: &Tensor<2>| up_to(limit).float().sum_dim(1);

        // `wanted` values or more lie up to `high`, and fewer up to `low`.
        let mut high = magnitudes.clone().max_dim(1);
        let mut low = high.zeros_like() - 1.0;
        for _ in 0..QUANTILE_HALVINGS {
            let middle = (low.clone() + high.clone()) * 0.5;
            let enough = count(&middle).greater_equal_scalar(wanted);
            low = low.mask_where(enough.clone().bool_not(), middle.clone());
            high = high.mask_where(enough, middle);
        }
        let below = magnitudes.clone().mask_fill(up_to(&high).bool_not(), 0.0).max_dim(1);
        let next = magnitudes.clone().mask_fill(up_to(&below), f32::MAX).min_dim(1);
        // Equal values may fill the next place too; the last place has none above it.
        let alone = count(&below).equal_scalar(wanted).bool_and(next.clone().lower_scalar(f32::MAX));
        let above = below.clone().mask_where(alone, next);
        let quantile = below * (1.0 - share) + above * share;
        quantile.reshape([images, 1, 1, 1]).expand(self.dims())
    }
}

/// Halvings that bring the range of magnitudes, however far its largest lies out, to neighbouring single-precision
/// numbers: 24 binary digits, below a largest value 2^24 times as large.
const QUANTILE_HALVINGS: usize = 48;

/// The gist of a report that goes on with causes and backtraces: how it begins, and its last cause.
pub(crate) fn gist(report: &str) -> String {
    let lines = report.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("Backtrace")).collect();
    let cause = lines.iter().rposition(|line| *line == "Caused by:").and_then(|at| lines.get(at + 1));
    match (lines.first(), cause) {
        (Some(first), Some(cause)) => format!("{first}: {cause}"),
        (Some(first), None) => (*first).to_owned(),
        (None, _) => "no reason given".to_owned(),
    }
}

/// The processor, where nothing has to be waited for: a read is done at once, in a browser too, which forbids
/// to wait.
#[cfg(feature = "cpu")]
pub mod cpu {
    use burn::tensor::{Device, Tensor};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// The processor.
    pub fn device() -> Device {
        Device::flex()
    }

    /// The value of `ready`, a future that waits for nothing but reads from [`device`].
    ///
    /// # Panics
    /// If something has to be waited for.
    pub fn now<T>(ready: impl Future<Output = T>) -> T {
        match pin!(ready).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a device other than the processor was read without waiting"),
        }
    }

    /// The values of a tensor on [`device`], row-major.
    ///
    /// # Panics
    /// If it is on another device.
    pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        now(super::read(tensor)).expect("memory of the processor can be read")
    }
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::{BackendError, Opened, gist};
    use burn::tensor::Device;
    use burn_cubecl::cubecl::wgpu::wgpu::DeviceType;
    use std::sync::{Arc, OnceLock};
    use unnoise_kernels_gpu::Adapter;

    /// The first error that no call returned. A GPU reports a refused kernel or a failed allocation like this, after
    /// the fact, while the computation goes on with whatever memory held.
    pub static FAULT: OnceLock<String> = OnceLock::new();

    /// What is known of the device that was opened.
    static CARD: OnceLock<Card> = OnceLock::new();

    pub struct Card {
        device: Device,
        /// The bytes of the largest buffer that a kernel can be given, which are those of the adapter: a device is opened with
        /// all that its adapter has.
        pub largest: u64,
        pub adapter: Adapter,
    }

    /// The card that `device` is of.
    pub fn card(device: &Device) -> Option<&'static Card> {
        CARD.get().filter(|card| card.device == *device)
    }

    /// What draws on canvases beside the device, of the same card.
    #[cfg(all(feature = "engine", target_family = "wasm", target_os = "unknown"))]
    pub static SETUP: OnceLock<burn_cubecl::cubecl::wgpu::WgpuSetup> = OnceLock::new();

    pub async fn open() -> Result<Opened, BackendError> {
        // A forward pass is some hundreds of small kernels. Submitting them by the hundred keeps the browser's
        // process boundary, which every submission crosses, out of the way.
        let options = Device::wgpu_options().tasks_max(128);
        let (device, setup) =
            options.init_with_setup_async().await.map_err(|e| BackendError::Unavailable(gist(&e.to_string())))?;
        setup.device.on_uncaptured_error(Arc::new(|error| {
            let _ = FAULT.set(gist(&error.to_string()));
        }));
        let limits = setup.device.limits();
        let largest = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let info = setup.adapter.get_info();
        let adapter = if info.device_type == DeviceType::Cpu { Adapter::Software } else { Adapter::Card };
        let _ = CARD.set(Card { device: device.clone(), largest, adapter });
        let name = if info.name.is_empty() { "GPU" } else { &info.name };
        #[cfg(all(feature = "engine", target_family = "wasm", target_os = "unknown"))]
        let _ = SETUP.set(setup);
        Ok(Opened { device, adapter: format!("{name} ({})", info.backend) })
    }
}
