//! Classifier-free guidance as something to learn: one evaluation a step then does what takes two.

use crate::math::Level;
use crate::models::unet2d::Unet2d;
use burn::tensor::Tensor;

/// What guidance adds to the answer of the weights that training starts from (Meng et al. 2023, arXiv 2210.03142,
/// equation 4). It is nothing where there is no label, so the network stays good for further guidance.
#[derive(Debug)]
pub struct Guidance {
    /// Off the autodiff device, as nothing is learned through it.
    pub teacher: Unet2d,
    /// The scale, above 1.
    pub scale: f64,
    /// The label that stands for none.
    pub none: usize,
}

impl Guidance {
    /// `(scale - 1) (answer with the labels - answer without)`, of the shape of `x`, `[images, channels, height, width]`, and on its
    /// device.
    pub fn added(&self, x: &Tensor<4>, levels: &[Level], labels: &[usize]) -> Tensor<4> {
        let (x, t) = (x.clone().inner(), levels.iter().map(|level| level.t).collect::<Vec<_>>());
        let answer = |labels: &[usize]| self.teacher.forward(x.clone(), &t, Some(labels));
        let added = (answer(labels) - answer(&vec![self.none; labels.len()])) * (self.scale - 1.0);
        Tensor::from_inner(added)
    }
}
