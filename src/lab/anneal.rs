//! Simulated annealing (Kirkpatrick et al. 1983, doi 10.1126/science.220.4598.671) on the landscape of a distribution.

use super::cloud::Stream;
use super::distribution::{Distribution, LawAt, Towards};
use super::settings::Cooling;
use super::{Cloud, CloudNoise, Plane};
use crate::math::{Latent, Level, TorchGenerator};

/// The landscape `U(x) = -ln p_0(x)` in nats: its valleys are where the data is.
///
/// With a class it is `U(x) = -ln p_0(x) - scale ln p(y | x)`, the one that guidance follows: distributions whose classes are alike have as
/// many deepest valleys, and a little guidance makes one of them the deepest.
#[derive(Clone, Debug)]
pub struct Energy {
    distribution: LawAt,
    towards: Option<Towards>,
}

impl Energy {
    /// The landscape of `distribution`; a class that it does not have is none.
    pub fn new(distribution: &Distribution, towards: Option<Towards>) -> Self {
        Self {
            distribution: distribution.at(Level::CLEAN),
            towards: towards.filter(|towards| towards.class < distribution.classes()),
        }
    }

    /// `U(x)` in nats.
    pub fn at(&self, x: &[f64; 2]) -> f64 {
        -self.towards.map_or_else(|| self.distribution.log_density(x), |towards| self.distribution.tilted(towards, x))
    }
}

/// Standard deviation of a proposal at temperature 1 and above; below it shrinks as the valleys' floors do, with the root of
/// the temperature, so that about as many are taken.
const STRIDE: f64 = 0.5;

/// Many independent Metropolis chains that cool together (Metropolis et al. 1953, doi 10.1063/1.1699114): a proposal that
/// changes `U` by `d` is taken with probability `min(1, e^(-d / T))`, so that at a fixed temperature `T` the chains sample
/// `e^(-U / T)`. Each step is computed when it is asked for.
pub struct Annealing<'a> {
    energy: &'a Energy,
    cooling: &'a Cooling,
    steps: usize,
    done: usize,
    x: Cloud,
    heights: Vec<f64>,
    moves: CloudNoise,
    chances: TorchGenerator,
}

/// The chains after a step.
#[derive(Clone, Debug)]
pub struct Cooled {
    /// 1 to `steps`.
    pub step: usize,
    pub steps: usize,
    /// The temperature of this step.
    pub temperature: f64,
    pub x: Cloud,
    /// The mean of `U` over the chains, in nats.
    pub energy: f64,
    /// Share of the proposals that were taken.
    pub taken: f64,
}

impl<'a> Annealing<'a> {
    /// Chains from the points `start` through all of `cooling` in `steps` steps.
    pub fn new(energy: &'a Energy, cooling: &'a Cooling, steps: usize, start: Cloud, seed: u32) -> Self {
        let heights = start.0.iter().map(|x| energy.at(x)).collect();
        let (moves, chances) = (CloudNoise::from_stream(Stream::Moves, seed), Stream::Chances.of(seed));
        Self { energy, cooling, steps, done: 0, x: start, heights, moves, chances }
    }
}

impl Iterator for Annealing<'_> {
    type Item = Cooled;

    fn next(&mut self) -> Option<Cooled> {
        if self.done == self.steps {
            return None;
        }
        let temperature = self.cooling.temperature(self.done as f64 / (self.steps - 1).max(1) as f64);
        let stride = STRIDE * temperature.min(1.0).sqrt();
        let n = self.x.0.len();
        let (moves, chances) = (self.moves.draw(n), self.chances.rand_f64(n));
        let mut taken = 0;
        for (i, (z, u)) in moves.0.iter().zip(chances).enumerate() {
            let there = self.x.0[i].mix(1.0, z, stride);
            let height = self.energy.at(&there);
            if u < ((self.heights[i] - height) / temperature).exp() {
                (self.x.0[i], self.heights[i]) = (there, height);
                taken += 1;
            }
        }
        self.done += 1;
        Some(Cooled {
            step: self.done,
            steps: self.steps,
            temperature,
            x: self.x.clone(),
            energy: self.heights.iter().sum::<f64>() / n as f64,
            taken: f64::from(taken) / n as f64,
        })
    }
}

/// Valleys whose floors are this close in nats are equally deep: cells see a floor within 0.06 nats.
const LEVEL: f64 = 0.1;

/// Where a landscape runs down to its deepest floor. A valley is all the cells of a fine plane from which the lowest neighbour, and
/// its lowest neighbour, and so on, lead to the same floor. Where several floors are the deepest, their valleys count together.
#[derive(Clone, Debug)]
pub struct Deepest {
    plane: Plane,
    inside: Vec<bool>,
}

impl Deepest {
    const PLANE: Plane = Plane { cells: 200, half: 5.0 };

    /// Of this landscape.
    pub fn of(energy: &Energy) -> Self {
        let plane = Self::PLANE;
        let heights: Vec<f64> = plane.centres().map(|x| energy.at(&x)).collect();
        let lower = |i: usize| {
            let near = |v: usize| v.saturating_sub(1)..(v + 2).min(plane.cells);
            let around =
                near(i / plane.cells).flat_map(|row| near(i % plane.cells).map(move |c| row * plane.cells + c));
            // The first of the lowest, so that a level stretch leads one way.
            around.min_by(|a, b| heights[*a].total_cmp(&heights[*b])).unwrap_or(i)
        };
        let next: Vec<usize> = (0..heights.len()).map(lower).collect();
        let floor = |mut i: usize| {
            while heights[next[i]] < heights[i] {
                i = next[i];
            }
            heights[i]
        };
        let lowest = heights.iter().copied().fold(f64::INFINITY, f64::min);
        Self { plane, inside: (0..heights.len()).map(|i| floor(i) <= lowest + LEVEL).collect() }
    }

    /// The share of the points that lie in it.
    pub fn share(&self, x: &Cloud) -> f64 {
        x.0.iter().filter(|x| self.inside[self.plane.cell(**x)]).count() as f64 / x.0.len() as f64
    }
}
