use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

/// A stride-1 convolution that keeps the size of the picture. `kernel` is odd.
pub fn conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .init(device)
}

/// Halves the size of a picture, rounding up with `padding` 1 and down with 0.
#[derive(Module, Debug)]
pub struct Downsample2d {
    conv: Conv2d,
}

impl Downsample2d {
    /// `padding` is 1 on every side, or 0: then one row and one column of zeros follow the picture.
    pub fn new(channels: usize, padding: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([channels, channels], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, 1, 1))
            .init(device);
        Self { conv }
    }

    /// # Shapes
    /// `[batch, channels, height, width]` to half the height and width.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.conv.forward(x)
    }
}

/// Enlarges a picture by repeating pixels, then smooths it with a convolution.
#[derive(Module, Debug)]
pub struct Upsample2d {
    conv: Conv2d,
}

impl Upsample2d {
    pub fn new(channels: usize, device: &Device) -> Self {
        Self { conv: conv([channels, channels], 3, device) }
    }

    /// `size` is the height and width to arrive at, which is twice the input's, or one less where that was odd.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, channels, size.0, size.1]`.
    pub fn forward(&self, x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
        let nearest = InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size);
        self.conv.forward(interpolate(x, nearest))
    }
}
