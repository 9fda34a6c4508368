//! The noise of pictures, drawn as torch draws it and uploaded.

use crate::math::Noise;
use crate::math::noise::{Seeded, TorchGenerator, node_seed, slerp};
use burn::tensor::{Tensor, TensorData};
use std::ops::Range;

/// The noise of a batch of images: image `i` has torch's stream of `seed + i`, so that it is the same in a batch of
/// any size and as diffusers draws it from a list of generators.
pub struct ImageNoise {
    generators: Vec<TorchGenerator>,
    /// Those of the seeds that the noise is on the way to, and which share of the way.
    variation: Option<(Vec<TorchGenerator>, f64)>,
}

impl ImageNoise {
    /// Seeds beyond the range of `u32` wrap around.
    pub fn new(seed: u32, images: usize) -> Self {
        Self { generators: Self::generators(seed, images), variation: None }
    }

    /// Every draw on the way to that of another seed, by spherical interpolation: at a share of 1 it is that seed's noise, to the
    /// bit.
    #[must_use]
    pub fn towards(self, seed: u32, share: f64) -> Self {
        let variation = (share > 0.0).then(|| (Self::generators(seed, self.generators.len()), share));
        Self { variation, ..self }
    }

    /// That of parts of the images.
    pub fn split(self, parts: &[Range<usize>]) -> Vec<Self> {
        let Self { generators, variation } = self;
        let part = |range: &Range<usize>| Self {
            generators: generators[range.clone()].to_vec(),
            variation: variation.as_ref().map(|(others, share)| (others[range.clone()].to_vec(), *share)),
        };
        parts.iter().map(part).collect()
    }

    /// That of all images, from that of the parts.
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_else(|| Self::new(0, 0));
        for part in parts {
            all.generators.extend(part.generators);
            if let (Some((all, _)), Some((others, _))) = (&mut all.variation, part.variation) {
                all.extend(others);
            }
        }
        all
    }

    fn generators(seed: u32, images: usize) -> Vec<TorchGenerator> {
        (0..images as u32).map(|i| TorchGenerator::new(seed.wrapping_add(i).into())).collect()
    }
}

impl Noise<Tensor<4>> for ImageNoise {
    /// `like` is `[images, channels, height, width]`.
    fn normal(&mut self, like: &Tensor<4>) -> Tensor<4> {
        let shape @ [_, channels, height, width] = like.dims();
        let draw = |g: &mut TorchGenerator| g.randn(channels * height * width);
        let own: Vec<_> = self.generators.iter_mut().map(draw).collect();
        let values: Vec<f32> = match &mut self.variation {
            Some((others, share)) => {
                own.into_iter().zip(others).flat_map(|(own, other)| slerp(own, draw(other), *share)).collect()
            }
            None => own.concat(),
        };
        Tensor::from_data(TensorData::new(values, shape), &like.device())
    }
}

impl Seeded for Tensor<4> {
    fn at_node(&self, seed: u64, node: u64) -> Self {
        let shape @ [images, channels, height, width] = self.dims();
        // As for `ImageNoise`, seeds beyond the range of `u32` wrap around.
        let seed_of = |i: usize| (seed as u32).wrapping_add(i as u32).into();
        let image = |i: usize| TorchGenerator::new(node_seed(seed_of(i), node)).randn(channels * height * width);
        Tensor::from_data(TensorData::new((0..images).flat_map(image).collect(), shape), &self.device())
    }
}
