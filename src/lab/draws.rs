//! What training of the laboratory draws: noisy points of a distribution.

use super::{Distribution, Process};
use crate::math::noise::node_seed;
use crate::math::{Latent, Level, TorchGenerator};

/// A point of the data with its noise.
pub(super) struct Noisy {
    pub x0: [f64; 2],
    pub class: u8,
    pub eps: [f64; 2],
    pub at: Level,
    /// `alpha x_0 + sigma eps`.
    pub x: [f64; 2],
}

/// The seed of number `index` of a stream of random numbers of a seed.
pub(super) fn stream(seed: u32, stream: u64, index: u64) -> u64 {
    node_seed(node_seed(seed.into(), stream), index)
}

/// `n` points of the distribution with `n` levels that are evenly spread over the clock from one uniform draw, which quietens the
/// gradient (Kingma et al. 2021, arXiv 2107.00630, appendix I.1). The generator is left where the draws of the noise ended.
pub(super) fn noisy(
    distribution: &Distribution,
    process: &Process,
    n: usize,
    seed: u64,
) -> (Vec<Noisy>, TorchGenerator) {
    // Cut to the 32 bits that a generator takes.
    let data = distribution.draw(n, node_seed(seed, 0) as u32);
    let mut generator = TorchGenerator::new(node_seed(seed, 1));
    let eps = generator.randn(2 * n);
    let start = generator.rand_f64(1)[0];
    let point = |(i, (x0, eps)): (usize, (&[f64; 2], &[f32; 2]))| {
        let at = process.level((start + i as f64 / n as f64).fract());
        let eps = eps.map(f64::from);
        Noisy { x0: *x0, class: data.label[i], eps, at, x: x0.mix(at.alpha, &eps, at.sigma) }
    };
    let points = data.x.0.iter().zip(eps.as_chunks::<2>().0).enumerate().map(point).collect();
    (points, generator)
}
