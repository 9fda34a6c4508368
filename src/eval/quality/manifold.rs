//! Precision and recall by nearest neighbours (Kynkäänniemi et al. 2019, arXiv 1904.06991).

use super::points::{Points, nearest, squared_distance};
use rayon::prelude::*;

/// The region that points are taken to come from: a ball around each, as far as its `k`-th nearest other point
/// (equation 1).
///
/// The share of samples within the region of real pictures is their precision: how many look real. The share of real
/// pictures within the region of the samples is their recall: how much of the variety is there.
pub struct Manifold<'a> {
    points: &'a Points,
    squared_radii: Vec<f64>,
}

impl<'a> Manifold<'a> {
    /// The region of `points`, with `k` of at least 1.
    pub fn new(points: &'a Points, k: usize) -> Self {
        // The nearest point to each is itself.
        let reach = nearest(points, points, k + 1).into_iter();
        let radius = |neighbours: Vec<super::Neighbour>| neighbours.last().map_or(0.0, |n| n.distance);
        Self { points, squared_radii: reach.map(|n| radius(n).powi(2)).collect() }
    }

    /// The share of `others` that lies within the region, 0 to 1.
    pub fn share(&self, others: &Points) -> f64 {
        let within = |other: &&[f32]| {
            let mut balls = self.points.iter().zip(&self.squared_radii);
            balls.any(|(centre, radius)| squared_distance(centre, other) <= *radius)
        };
        let inside = others.values().par_chunks(others.dimensions()).filter(within).count();
        inside as f64 / others.len() as f64
    }
}
