//! Painting only a part of a picture.

use super::{Denoiser, Estimate, noised};
use crate::math::{Latent, Level};

/// A model that is given a part of the picture, so that every sampler paints the rest: the "replacement" of Song et al.
/// 2021 (arXiv 2011.13456, appendix I.2) with one noise for the whole run, as ComfyUI does it.
///
/// Where `mask` is 1 the model sees the known picture, brought to the level by the forward process, and its estimate is
/// the known picture; where it is 0 both are the sampler's and the model's own; between, they are mixed. A run that ends
/// clean ends on the known picture exactly.
///
/// The rest is drawn to agree with the known part at every level, but a level does not undo what the noisier one before
/// it settled: one trajectory falls short of the true conditional distribution (Trippe et al. 2022, arXiv 2206.04119).
/// Methods that go back and forth (Langevin, RePaint) close the gap.
#[derive(Clone, Debug)]
pub struct Inpainted<D, X> {
    model: D,
    known: X,
    mask: X,
    rest: X,
    noise: X,
}

impl<D, X: Latent> Inpainted<D, X> {
    /// `known`, `mask` and `noise` have the shape of the points: the picture, 1 where it is known and 0 where it is to be
    /// painted, and the standard normal that the known part is noised with, best the one that the run starts from.
    pub fn new(model: D, known: X, mask: X, noise: X) -> Self {
        let ones = mask.scale(0.0).exp();
        let rest = ones.mix(1.0, &mask, -1.0);
        Self { model, known, mask, rest, noise }
    }

    /// `known` by the mask, `free` by the rest.
    fn join(&self, known: &X, free: &X) -> X {
        self.mask.times(known).mix(1.0, &self.rest.times(free), 1.0)
    }

    /// What the model sees of `x`.
    fn replaced(&self, x: &X, at: Level) -> X {
        self.join(&noised(&self.known, &self.noise, at), x)
    }
}

impl<X: Latent, D: Denoiser<X>> Denoiser<X> for Inpainted<D, X> {
    fn denoise(&self, x: &X, at: Level) -> X {
        self.join(&self.known, &self.model.denoise(&self.replaced(x, at), at))
    }

    fn estimate(&self, x: &X, at: Level) -> Estimate<X> {
        let said = self.model.estimate(&self.replaced(x, at), at);
        let (x0, eps) = (self.join(&self.known, &said.x0), self.join(&self.noise, &said.eps));
        Estimate { x0, eps, ..said }
    }
}
