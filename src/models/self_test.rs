//! Whether a device computes what it should.

use super::unet2d::Unet2d;
use super::{LoadError, WeightsError, weights};
use crate::backend::{self, BackendError};
use burn::tensor::{Device, Tensor, TensorData};
use thiserror::Error;

/// How far a device is from the stored output of a network.
#[derive(Clone, Copy, Debug)]
pub struct SelfTest {
    /// Largest difference of an output value, infinite where it is not a number.
    pub worst: f32,
    /// What rounding may explain.
    pub tolerance: f32,
}

impl SelfTest {
    pub fn passed(&self) -> bool {
        self.worst <= self.tolerance
    }
}

/// Why a device could not be tested.
#[derive(Debug, Error)]
pub enum SelfTestError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("The stored outputs cannot be used: {0}")]
    Oracle(#[from] WeightsError),
    #[error("The stored outputs are for inputs of shape {0:?}, which the network does not take.")]
    Shape(Vec<usize>),
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Runs a small network on `device` and compares with `oracle`, the bytes of a safetensors file of `x`
/// `[batch, channels, height, width]`, `t` `[batch]`, `class` `[batch]` where the network has classes, and `out`.
///
/// A driver that drops or miscompiles a kernel gives nonsense and no error, which is what this is to find: such
/// outputs are off by the size of the output itself, a thousand times the tolerance.
///
/// # Errors
/// Files that are damaged or do not belong together; a device that fails.
pub async fn self_test(
    config: &str,
    weights: &[u8],
    oracle: &[u8],
    device: &Device,
) -> Result<SelfTest, SelfTestError> {
    let net = Unet2d::load(config, weights, device)?;
    let (x, shape) = weights::values(oracle, "x")?;
    let (t, _) = weights::values(oracle, "t")?;
    let class = match net.config().num_class_embeds {
        Some(rows) => Some((weights::values(oracle, "class")?.0, rows)),
        None => None,
    };
    let (expected, _) = weights::values(oracle, "out")?;

    let c = net.config();
    let [height, width] = c.sample_size;
    let fits = shape == [t.len(), c.in_channels, height, width]
        && expected.len() == t.len() * c.out_channels * height * width
        && class
            .as_ref()
            .is_none_or(|(class, rows)| class.len() == t.len() && class.iter().all(|&c| (c as usize) < *rows));
    if !fits {
        return Err(SelfTestError::Shape(shape));
    }
    let t: Vec<_> = t.into_iter().map(f64::from).collect();
    let class: Option<Vec<_>> = class.map(|(class, _)| class.into_iter().map(|c| c as usize).collect());
    let got = net.forward(Tensor::from_data(TensorData::new(x, shape), device), &t, class.as_deref());
    let got = backend::read(got).await?;
    let apart = |(a, b): (&f32, &f32)| if a.is_nan() { f32::INFINITY } else { (a - b).abs() };
    let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    Ok(SelfTest { worst: got.iter().zip(&expected).map(apart).fold(0.0, f32::max), tolerance: 1e-3 * (1.0 + largest) })
}
