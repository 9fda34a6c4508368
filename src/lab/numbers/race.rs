use crate::eval::convergence::steps_within;
use crate::lab::run::{RunError, Stage};
use crate::lab::settings::Pane;
use crate::lab::{Cloud, CloudNoise, Distances, Distribution, Process};
use crate::math::Spacing;
use crate::math::noise::node_seed;
use crate::samplers::{Tuning, method};

/// The evaluations that samplers are raced with.
pub const EVALUATIONS: [usize; 5] = [5, 10, 20, 50, 100];

/// Seeds that a distance is averaged over: with one of them chance alone moves it by a third.
pub const SEEDS: u32 = 5;

/// Averages over seeds that the floor is made of.
const AVERAGES: u32 = 20;

/// Streams of seeds: of the data that samples are compared with, and of the data of the floor.
const COMPARED: u64 = 4;
const FLOOR: u64 = 5;

/// The pane's sampler with as many steps as `evaluations` allow; `None` where they allow none, or where the method chooses its
/// steps itself.
pub fn within(pane: &Pane, process: &Process, evaluations: usize) -> Option<Pane> {
    let steps = match pane.row() {
        None => evaluations,
        Some(row) => {
            let row = method::<f64>(row).filter(|row| row.on_grid().is_some())?;
            steps_within((&row, &Tuning::default()), process.schedule(), &Spacing::Trailing, evaluations)?
        }
    };
    Some(Pane { steps, ..pane.clone() })
}

/// How far samples are from data of a distribution, both so many points, in the mean over [`SEEDS`] seeds.
#[derive(Clone, Copy)]
pub struct Race<'a> {
    /// What samples are to look like.
    pub wanted: &'a Distribution,
    pub points: usize,
    pub seed: u32,
}

/// How far data of a distribution is from other data of it: no sampler comes below but by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floor {
    /// The smallest and the largest of twenty averages over as many seeds as samples are averaged over. Nine of ten further ones lie
    /// between.
    pub low: Distances,
    pub high: Distances,
}

impl Race<'_> {
    /// The distances of a pane's sampler, and the evaluations of the model that a run of it took.
    ///
    /// # Errors
    /// As a run of the pane.
    pub async fn run(self, stage: &Stage<'_>, pane: &Pane) -> Result<(Distances, usize), RunError> {
        let (mut apart, mut evaluations) = (Vec::new(), 0);
        for i in 0..SEEDS {
            let seed = self.seed.wrapping_add(i);
            let z = CloudNoise::new(seed).draw(self.points);
            let (x, spent) = Stage { seed, ..*stage }.end(pane, &z).await?;
            evaluations = spent;
            apart.push(Distances::between(&x, &self.data(COMPARED, i)));
        }
        Ok((averaged(&apart), evaluations))
    }

    /// Where the distances of data from data lie.
    pub fn floor(self) -> Floor {
        let pair = |i: u32| Distances::between(&self.data(FLOOR, 2 * i), &self.data(FLOOR, 2 * i + 1));
        let average = |k: u32| averaged(&(k * SEEDS..(k + 1) * SEEDS).map(pair).collect::<Vec<_>>());
        let averages: Vec<_> = (0..AVERAGES).map(average).collect();
        let end = |pick: fn(f64, f64) -> f64| {
            averages.iter().copied().reduce(|a, b| Distances {
                sliced_wasserstein: pick(a.sliced_wasserstein, b.sliced_wasserstein),
                energy: pick(a.energy, b.energy),
            })
        };
        let none = Distances { sliced_wasserstein: 0.0, energy: 0.0 };
        Floor { low: end(f64::min).unwrap_or(none), high: end(f64::max).unwrap_or(none) }
    }

    fn data(self, stream: u64, i: u32) -> Cloud {
        // Cut to the 32 bits that a generator takes.
        let seed = node_seed(node_seed(self.seed.into(), stream), i.into()) as u32;
        self.wanted.draw(self.points, seed).x
    }
}

fn averaged(all: &[Distances]) -> Distances {
    let mean = |f: fn(&Distances) -> f64| all.iter().map(f).sum::<f64>() / all.len() as f64;
    Distances { sliced_wasserstein: mean(|d| d.sliced_wasserstein), energy: mean(|d| d.energy) }
}
