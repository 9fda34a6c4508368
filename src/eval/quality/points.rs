//! Points, and which of them are near.

use rayon::prelude::*;

/// Points with as many coordinates each.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    values: Vec<f32>,
    dimensions: usize,
}

/// One of the points that are near another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Euclidean.
    pub distance: f64,
    /// Its place among the points that were searched.
    pub index: usize,
}

/// Points that are compared with others together: few enough that they stay in a core's own cache.
const BLOCK: usize = 32;

impl Points {
    /// Points one after the other in `values`, each of `dimensions` coordinates, of which there is at least one.
    pub fn new(values: Vec<f32>, dimensions: usize) -> Self {
        Self { values, dimensions }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Coordinates of a point.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// All coordinates, point after point.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The first `n` points, or all if they are fewer.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        Self::new(self.values.iter().take(n * self.dimensions).copied().collect(), self.dimensions)
    }

    /// The points, each a list of its coordinates.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimensions)
    }
}

/// The `k` nearest of `among` to each of `queries`, the nearest first and of equally near ones the earlier; fewer where
/// `among` has fewer points.
pub fn nearest(queries: &Points, among: &Points, k: usize) -> Vec<Vec<Neighbour>> {
    let size = BLOCK * among.dimensions;
    let block = |queries: &[f32]| {
        let mut found = vec![Vec::with_capacity(k + 1); queries.len() / among.dimensions];
        for (b, others) in among.values.chunks(size).enumerate() {
            for (query, found) in queries.chunks_exact(among.dimensions).zip(&mut found) {
                for (i, other) in others.chunks_exact(among.dimensions).enumerate() {
                    insert(found, k, Neighbour { distance: squared_distance(query, other), index: b * BLOCK + i });
                }
            }
        }
        found
    };
    let mut all: Vec<_> = queries.values.par_chunks(size).flat_map(block).collect();
    all.iter_mut().flatten().for_each(|neighbour| neighbour.distance = neighbour.distance.sqrt());
    all
}

fn insert(found: &mut Vec<Neighbour>, k: usize, new: Neighbour) {
    if found.len() == k && found.last().is_none_or(|last| new.distance >= last.distance) {
        return;
    }
    let place = found.partition_point(|old| old.distance <= new.distance);
    found.insert(place, new);
    found.truncate(k);
}

/// The squared Euclidean distance. Several sums run beside each other, so that one instruction adds to all of them.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0; 16];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    (sums.iter().sum::<f32>() + rest).into()
}
