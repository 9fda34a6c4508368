//! Classifier-free guidance as something to learn: one evaluation a step then does what takes two.

use crate::math::Level;
use crate::models::unet2d::Unet2d;
use crate::train::objective::each;
use burn::tensor::Tensor;

/// What guidance adds to the answer of the weights that training starts from (Meng et al. 2023, arXiv 2210.03142,
/// equation 4). It is nothing where there is no label, so the network stays good for further guidance.
#[derive(Debug)]
pub struct Guidance {
    /// Off the autodiff device, as nothing is learned through it.
    pub teacher: Unet2d,
    /// The scale, above 1.
    pub scale: f64,
    /// The least and the largest `sigma / alpha` that it acts at (Kynkäänniemi et al. 2024, arXiv 2404.07724); everywhere without.
    pub interval: Option<[f64; 2]>,
    /// The label that stands for none.
    pub none: usize,
}

impl Guidance {
    /// `(scale - 1) (answer with the labels - answer without)` where it acts, of the shape of `x`, `[images, channels, height, width]`, and on its
    /// device.
    pub fn added(&self, x: &Tensor<4>, levels: &[Level], labels: &[usize]) -> Tensor<4> {
        let (x, t) = (x.clone().inner(), levels.iter().map(|level| level.t).collect::<Vec<_>>());
        let answer = |labels: &[usize]| self.teacher.forward(x.clone(), &t, Some(labels));
        let excess = each(levels.iter().map(|level| self.excess(level.nsr())), &x.device()).reshape([-1, 1, 1, 1]);
        Tensor::from_inner((answer(labels) - answer(&vec![self.none; labels.len()])) * excess)
    }

    /// What the scale exceeds 1 by at a noise-to-signal ratio.
    fn excess(&self, nsr: f64) -> f64 {
        let acts = self.interval.is_none_or(|[low, high]| (low..=high).contains(&nsr));
        if acts { self.scale - 1.0 } else { 0.0 }
    }
}
