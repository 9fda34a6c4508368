//! Pictures shown where they were computed.

use super::reading::Work;
use burn::tensor::Tensor;

/// Shows the steps of a run without reading them back.
pub trait Present {
    /// Submits the drawing of pictures `[images, channels, height, width]` in the range of their model, and answers what waits for it:
    /// `x_t`, divided by its level's [`marginal_std`](crate::math::Level::marginal_std), and the estimate of `x_0`, which the start of a
    /// run has not. It fails where the device does, or where they cannot be drawn.
    fn present(&self, x: Tensor<4>, denoised: Option<Tensor<4>>) -> Work<()>;
}
