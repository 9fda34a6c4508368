use super::{Conv2d, Conv2dConfig};
use burn::module::Module;
use burn::tensor::module::{conv2d, interpolate};
use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData};

/// A stride-1 convolution that keeps the size of the picture. `kernel` is odd.
pub fn conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    Conv2dConfig::same(channels, kernel).init(device)
}

/// Halves the size of a picture, rounding up with `padding` 1 and down with 0.
#[derive(Module, Debug)]
pub struct Downsample2d {
    conv: Conv2d,
}

impl Downsample2d {
    /// `padding` is 1 on every side, or 0: then one row and one column of zeros follow the picture.
    pub fn new(channels: usize, padding: usize, device: &Device) -> Self {
        let same = Conv2dConfig::same([channels, channels], 3);
        Self { conv: Conv2dConfig { stride: [2, 2], padding: [[padding, 1]; 2], ..same }.init(device) }
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
        self.conv.forward_enlarged(x, size)
    }
}

/// A change of size that has nothing to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// Half the size: the mean of four pixels.
    Mean,
    /// Twice the size: each pixel four times.
    Repeat,
    /// Half the size through the filter (1, 3, 3, 1) (Karras et al. 2019, arXiv 1912.04958).
    FirDown,
    /// Twice the size through the same filter.
    FirUp,
}

impl Resampling {
    /// `size` is the height and width to arrive at.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, channels, size.0, size.1]`.
    pub fn apply(self, x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
        match self {
            Self::Mean => mean(x),
            Self::Repeat => repeated(x, size),
            Self::FirDown => fir_down(x),
            Self::FirUp => fir_up(x, size),
        }
    }

    /// Whether it is through the filter.
    pub fn is_fir(self) -> bool {
        matches!(self, Self::FirDown | Self::FirUp)
    }

    /// The size that becomes of a height and width.
    pub fn size(self, size: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Mean | Self::FirDown => size.map(|side| side / 2),
            Self::Repeat | Self::FirUp => size.map(|side| 2 * side),
        }
    }
}

/// `x` enlarged to `size` by repeating pixels.
pub fn repeated(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}

/// A row or column that has no other is left out.
fn mean(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let [rows, columns] = [height / 2, width / 2];
    let even = x.slice([0..batch, 0..channels, 0..2 * rows, 0..2 * columns]);
    let pairs = even.reshape([batch * channels * rows, 2, columns, 2]);
    pairs.mean_dim(3).mean_dim(1).reshape([batch, channels, rows, columns])
}

/// A filter of `taps`, one for each parity of the places, on every channel by itself, over a picture with a border of zeros
/// one pixel wide and `more` rows and columns of them behind.
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch * channels, taps * taps, ..]`.
fn filtered<const K: usize>(x: Tensor<4>, taps: &[[f32; K]], stride: usize, more: [usize; 2]) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let pairs = taps.iter().flat_map(|rows| taps.iter().map(move |columns| (rows, columns)));
    let weight = pairs.flat_map(|(rows, columns)| rows.iter().flat_map(move |row| columns.map(|column| row * column)));
    let weight = TensorData::new(weight.collect(), [taps.len() * taps.len(), 1, K, K]);
    let weight = Tensor::from_data(weight, &x.device());
    let padding = more.map(|more| (1, 1 + more));
    let options = ConvOptions { stride: [stride, stride], padding, dilation: [1, 1], groups: 1 };
    conv2d(x.reshape([batch * channels, 1, height, width]), weight, None, options)
}

fn fir_down(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    filtered(x, &[[0.125, 0.375, 0.375, 0.125]], 2, [0, 0]).reshape([batch, channels, height / 2, width / 2])
}

/// Zeros between the pixels, then the filter: an even place is a quarter of the pixel before and three of its own, an odd
/// one three of its own and one of the next.
fn fir_up(x: Tensor<4>, [rows, columns]: [usize; 2]) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    // An odd size is arrived at from one more row or column of zeros.
    let more @ [below, beside] = [rows.saturating_sub(2 * height), columns.saturating_sub(2 * width)];
    let [height, width] = [height + below, width + beside];
    let places = filtered(x, &[[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]], 1, more);
    let places = places.reshape([batch * channels, 2, 2, height, width]).permute([0, 3, 1, 4, 2]);
    let doubled = places.reshape([batch, channels, 2 * height, 2 * width]);
    doubled.slice([0..batch, 0..channels, 0..rows, 0..columns])
}
