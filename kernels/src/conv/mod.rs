//! Convolution on the processor as an implicit matrix product, without im2col: `products.rs` is the register tile, on which `winograd.rs`
//! computes kernels of 3 × 3 and `direct.rs` all others.

mod direct;
mod planes;
mod products;
mod winograd;

/// What a convolution is.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the pictures.
    pub size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows above and below, columns left and right.
    pub padding: [[usize; 2]; 2],
}

impl Convolution {
    /// Height and width of what comes out.
    pub fn out(&self) -> [usize; 2] {
        [0, 1].map(|i| (self.padded(i) - self.kernel[i]) / self.stride[i] + 1)
    }

    /// Of one picture, by the definition.
    fn multiplications(&self) -> usize {
        let positions: usize = self.out().iter().product();
        self.outputs * self.inputs * self.kernel.iter().product::<usize>() * positions
    }

    fn padded(&self, axis: usize) -> usize {
        self.size[axis] + self.padding[axis].iter().sum::<usize>()
    }
}

/// The weights of a convolution in Winograd's transform, for those where it pays to keep them.
#[derive(Debug)]
pub struct Transformed(winograd::Transformed);

impl Transformed {
    /// Of `weight` `[outputs, inputs, height, width]`, for pictures of this size.
    pub fn of(weight: &[f32], shape: &Convolution) -> Option<Self> {
        winograd::transformed(weight, shape).map(Self)
    }
}

/// The convolution of `x` `[batch, inputs, height, width]` with `weight` `[outputs, inputs, height, width]`; `transformed` is of that weight.
#[inline(never)]
pub fn convolve(
    x: &[f32],
    weight: &[f32],
    transformed: Option<&Transformed>,
    bias: &[f32],
    shape: &Convolution,
) -> Vec<f32> {
    let [height, width] = shape.out();
    let mut out = vec![0.0; shape.batch * shape.outputs * height * width];
    match winograd::pays(shape) {
        true => winograd::conv(x, weight, transformed.map(|weights| &weights.0), bias, shape, &mut out),
        false => direct::conv(x, weight, bias, shape, &mut out),
    }
    out
}
