//! One Brownian path for a whole run, however many steps use it.

use super::{Noise, TorchGenerator};
use crate::math::{Latent, Level};

/// A point that can be drawn from a seed.
pub trait Seeded: Latent {
    /// The standard normal of this shape that belongs to `node` of the path of `seed`, from a generator of its own (see
    /// [`node_seed`]). Image `i` of a batch has the path of `seed + i`, so that no picture depends on its neighbours.
    fn at_node(&self, seed: u64, node: u64) -> Self;
}

/// The seed of the [`TorchGenerator`] of a node: both numbers mixed (the finaliser of SplitMix64, Steele et al. 2014,
/// doi 10.1145/2660193.2660195), as a generator takes only 32 bits and near ones would start alike.
pub fn node_seed(seed: u64, node: u64) -> u64 {
    let mixed = |z: u64| {
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    mixed(mixed(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_add(node.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

impl Seeded for f64 {
    fn at_node(&self, seed: u64, node: u64) -> Self {
        TorchGenerator::new(node_seed(seed, node)).randn_f64(1)[0]
    }
}

impl<const N: usize> Seeded for [f64; N] {
    fn at_node(&self, seed: u64, node: u64) -> Self {
        let mut generator = TorchGenerator::new(node_seed(seed, node));
        std::array::from_fn(|_| generator.randn_f64(1)[0])
    }
}

/// How often the path is halved: stretches shorter than `2^-DEPTH` of its clock have no noise of their own.
const DEPTH: u32 = 32;

/// Nodes from here on are no part of the path, but fresh draws.
const FRESH: u64 = 1 << 40;

/// A Brownian path `W` over the clock `u = nsr / (1 + nsr)`, which runs from 1 (pure noise) to 0 (clean): the same for a
/// seed, whatever steps are taken along it, so that more steps refine one picture instead of leading to others (the use
/// of Brownian trees for samplers is k-diffusion's; Li et al. 2020, arXiv 2001.01328, section 4).
///
/// The path is nowhere stored. Its value half way between two known ones is their mean and a normal number of its own,
/// drawn from a generator seeded by the node's number (Lévy's construction), and any value is found by halving `0..1`
/// 32 times: 33 draws for the first one. The halves on the way to the last value are kept, 33 points, and a near value
/// draws only what differs; the steps of a run of `n` cost about `n (32 - log2 n)` draws together.
pub struct BrownianPath<X> {
    seed: u64,
    fresh: u64,
    /// The stretches around the last value that was requested, each one half of the one before.
    around: Vec<Stretch<X>>,
}

/// A part of the path between two known values.
#[derive(Clone)]
struct Stretch<X> {
    /// Its number: the halves of `n` are `2n` and `2n + 1`; the whole is 1.
    node: u64,
    ends: [f64; 2],
    values: [X; 2],
}

impl<X: Seeded> BrownianPath<X> {
    /// The path of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, fresh: FRESH, around: Vec::new() }
    }

    /// The same path after so many draws that are no part of it.
    #[must_use]
    pub fn after(self, draws: u64) -> Self {
        Self { fresh: FRESH + draws, ..self }
    }

    /// The draws so far that are no part of it.
    pub fn draws(&self) -> u64 {
        self.fresh - FRESH
    }

    /// `W(u)`, for `u` in 0..1.
    fn value(&mut self, like: &X, u: f64) -> X {
        while self.around.last().is_some_and(|last| u < last.ends[0] || u > last.ends[1]) {
            self.around.pop();
        }
        let mut here = self.around.last().cloned().unwrap_or_else(|| {
            let end = like.at_node(self.seed, 0);
            Stretch { node: 1, ends: [0.0, 1.0], values: [end.scale(0.0), end] }
        });
        if self.around.is_empty() {
            self.around.push(here.clone());
        }
        while here.node < 1 << DEPTH {
            here = here.half(u, self.seed);
            self.around.push(here.clone());
        }
        let part = (u - here.ends[0]) / (here.ends[1] - here.ends[0]);
        here.values[0].mix(1.0 - part, &here.values[1], part)
    }
}

impl<X: Seeded> Stretch<X> {
    /// The half that `u` lies in.
    fn half(&self, u: f64, seed: u64) -> Self {
        let ([low, high], [first, last]) = (self.ends, &self.values);
        let middle = 0.5 * (low + high);
        let drawn = first.at_node(seed, self.node);
        let between = first.mix(0.5, last, 0.5).mix(1.0, &drawn, 0.5 * (high - low).sqrt());
        if u < middle {
            Self { node: 2 * self.node, ends: [low, middle], values: [first.clone(), between] }
        } else {
            Self { node: 2 * self.node + 1, ends: [middle, high], values: [between, last.clone()] }
        }
    }
}

impl<X: Seeded> Noise<X> for BrownianPath<X> {
    /// A draw that is no part of the path: churn, say, which goes back on it.
    fn normal(&mut self, like: &X) -> X {
        self.fresh += 1;
        like.at_node(self.seed, self.fresh)
    }

    /// The path's increment, brought to unit variance. Where the clock does not tell the two levels apart, a fresh draw.
    fn over(&mut self, like: &X, from: Level, to: Level) -> X {
        let clock = |at: Level| at.sigma / (at.alpha + at.sigma);
        let (begin, end) = (clock(from), clock(to));
        let length = (begin - end).abs();
        if length < (-f64::from(DEPTH)).exp2() {
            return self.normal(like);
        }
        let before = self.value(like, begin);
        before.mix(length.sqrt().recip(), &self.value(like, end), -length.sqrt().recip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(nsr: f64) -> Level {
        if nsr.is_infinite() { Level::flow(1.0, nsr) } else { Level::variance_exploding(nsr, nsr) }
    }

    fn increment(path: &mut BrownianPath<f64>, from: f64, to: f64) -> f64 {
        let clock = |nsr: f64| level(nsr).sigma / (level(nsr).alpha + level(nsr).sigma);
        path.over(&0.0, level(from), level(to)) * (clock(from) - clock(to)).sqrt()
    }

    #[test]
    fn increments_are_independent_standard_normals() {
        const PATHS: usize = 4000;
        let stretches = [(f64::INFINITY, 30.0), (30.0, 1.0), (1.0, 0.7), (0.7, 0.699), (0.1, 1e-4), (1e-4, 0.0)];
        let drawn: Vec<Vec<f64>> = (0..PATHS as u64)
            .map(|seed| {
                let mut path = BrownianPath::new(seed);
                stretches.map(|(from, to)| path.over(&0.0, level(from), level(to))).to_vec()
            })
            .collect();
        // Five standard deviations of a mean of so many products.
        let allowed = 5.0 * (2.0 / PATHS as f64).sqrt();
        for i in 0..stretches.len() {
            for j in 0..=i {
                let moment = drawn.iter().map(|d| d[i] * d[j]).sum::<f64>() / PATHS as f64;
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((moment - expected).abs() < allowed, "stretches {i} and {j}: {moment}");
            }
            assert!((drawn.iter().map(|d| d[i]).sum::<f64>() / PATHS as f64).abs() < allowed);
        }
    }

    #[test]
    fn increments_add_up_in_however_many_steps_and_whatever_order() {
        let whole = increment(&mut BrownianPath::new(7), 20.0, 0.01);
        for steps in [1, 10, 1000] {
            let at = |i: usize| 20.0 * (0.01_f64 / 20.0).powf(i as f64 / steps as f64);
            let (mut path, mut back) = (BrownianPath::new(7), BrownianPath::new(7));
            let there: Vec<f64> = (0..steps).map(|i| increment(&mut path, at(i), at(i + 1))).collect();
            let again: Vec<f64> = (0..steps).rev().map(|i| increment(&mut back, at(i), at(i + 1))).collect();
            assert!((there.iter().sum::<f64>() - whole).abs() < 1e-12, "{steps} steps");
            assert!(there.iter().zip(again.iter().rev()).all(|(a, b)| a == b), "{steps} steps backwards");
        }
        assert!((increment(&mut BrownianPath::new(8), 20.0, 0.01) - whole).abs() > 1e-3);
    }

    #[test]
    fn fresh_draws_leave_the_path_alone() {
        let (mut path, mut other) = (BrownianPath::new(3), BrownianPath::new(3));
        let (first, second): (f64, f64) = (path.normal(&0.0), path.normal(&0.0));
        assert_ne!(first, second);
        assert_eq!(increment(&mut path, 2.0, 1.0), increment(&mut other, 2.0, 1.0));
        // Levels that the clock does not tell apart.
        assert!(path.over(&0.0, level(1e12), level(1e11)).is_finite());
    }
}
