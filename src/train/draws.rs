//! The random numbers of training: each a function of the recipe's seed and of the step alone, so that a run that was
//! interrupted goes on with the numbers that it would have had.

use super::augment::{Augment, FEATURES};
use super::process::Process;
use crate::dataset::Pictures;
use crate::math::noise::node_seed;
use crate::math::{Level, TorchGenerator};

/// Independent random streams of one seed.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    Weights,
    Order,
    Draws,
    Held,
}

impl Stream {
    /// The generator of number `index` of the stream.
    pub fn generator(self, seed: u64, index: u64) -> TorchGenerator {
        TorchGenerator::new(node_seed(node_seed(seed, self as u64), index))
    }
}

/// What a step is given, image by image.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Images, channels, height and width.
    pub shape: [usize; 4],
    /// Pictures, row-major.
    pub x0: Vec<f32>,
    /// Standard normal noise of the same shape.
    pub eps: Vec<f32>,
    pub levels: Vec<Level>,
    pub labels: Vec<usize>,
    /// Features of the pictures' augmentation, which the network is conditioned on, where there is one.
    pub augmentation: Option<Vec<[f32; FEATURES]>>,
}

/// The distribution that the batches of a recipe are drawn from.
#[derive(Clone, Debug)]
pub struct Distribution {
    pub process: Process,
    pub augment: Option<Augment>,
    /// Share of the labels that is replaced, and by what.
    pub label_drop: Option<(f64, usize)>,
    /// Share of a batch that is seen at the least noisy level.
    pub clean_share: f64,
}

impl Distribution {
    /// The batch of these pictures.
    pub fn batch(&self, pictures: &Pictures, picks: &[usize], generator: &mut TorchGenerator) -> Batch {
        let [channels, height, width] = pictures.shape;
        let (images, size) = (picks.len(), channels * height * width);
        let mut x0: Vec<f32> = picks.iter().flat_map(|&i| pictures.x0(i)).collect();
        let drawn = generator.randn(images * size);
        let own: Option<Vec<_>> = picks.iter().map(|&i| pictures.noise(i)).collect();
        // One uniform draw, then equal distances: every batch spans all levels of noise, which quietens its gradient
        // (Kingma et al. 2021, arXiv 2107.00630, appendix I.1).
        let u = generator.rand_f64(1)[0];
        let clean = (self.clean_share * images as f64).round() as usize;
        let noisy = (images - clean) as f64;
        let level = |k| match k < clean {
            true => self.process.cleanest(),
            false => self.process.level((u + (k - clean) as f64 / noisy).fract()),
        };
        let dropped = generator.rand_f64(images);
        let mut labels: Vec<_> = picks.iter().map(|&i| pictures.labels[i]).collect();
        let augmentation =
            (self.augment.as_ref()).map(|augment| augment.change(&mut x0, pictures.shape, &labels, generator));
        if let Some((share, none)) = self.label_drop {
            for (label, _) in labels.iter_mut().zip(dropped).filter(|(_, u)| *u < share) {
                *label = none;
            }
        }
        Batch {
            shape: [images, channels, height, width],
            x0,
            eps: own.map_or(drawn, |own| own.concat()),
            levels: (0..images).map(level).collect(),
            labels,
            augmentation,
        }
    }
}

/// The order in which pictures are seen: each once in an epoch, in an order of the epoch's own.
#[derive(Clone, Debug)]
pub struct Order {
    seed: u64,
    count: usize,
    epoch: Option<(usize, Vec<usize>)>,
}

impl Order {
    /// The order of `count` pictures, at least one.
    pub fn new(seed: u64, count: usize) -> Self {
        Self { seed, count, epoch: None }
    }

    /// The pictures of `step`.
    pub fn picks(&mut self, step: usize, batch: usize) -> Vec<usize> {
        (step * batch..(step + 1) * batch).map(|place| self.pick(place)).collect()
    }

    fn pick(&mut self, place: usize) -> usize {
        let (epoch, within) = (place / self.count, place % self.count);
        match &self.epoch {
            Some((number, order)) if *number == epoch => order[within],
            _ => {
                let order = permutation(self.count, &mut Stream::Order.generator(self.seed, epoch as u64));
                let pick = order[within];
                self.epoch = Some((epoch, order));
                pick
            }
        }
    }
}

/// The numbers below `count` in random order (Fisher & Yates).
pub fn permutation(count: usize, generator: &mut TorchGenerator) -> Vec<usize> {
    let mut order: Vec<_> = (0..count).collect();
    for (i, u) in (1..count).rev().zip(generator.rand_f64(count)) {
        order.swap(i, (u * (i + 1) as f64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_shows_every_picture_once_in_another_order() {
        let mut order = Order::new(5, 37);
        let first: Vec<_> = (0..37).flat_map(|step| order.picks(step, 2)).collect();
        let (a, b) = first.split_at(37);
        assert_ne!(a, b);
        for epoch in [a, b] {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..37).collect::<Vec<_>>());
        }
        // A later step does not need the earlier ones.
        assert_eq!(Order::new(5, 37).picks(36, 2), first[72..]);
        assert_ne!(Order::new(6, 37).picks(0, 37), a);
    }
}
