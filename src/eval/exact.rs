//! Exact denoisers as measures see them.

use super::{Differentiable, PulledBack, Readable};
use crate::denoise::Mixture;
use crate::math::Level;
use std::convert::Infallible;

impl<const N: usize> Readable for Mixture<N> {
    type Error = Infallible;

    fn dimensions(&self) -> usize {
        N
    }

    fn denoise(&self, x: &[f64], at: Level) -> Result<Vec<f64>, Infallible> {
        let (points, _) = x.as_chunks::<N>();
        Ok(points.iter().flat_map(|x| self.posterior(x, at).x0).collect())
    }
}

impl<const N: usize> Differentiable for Mixture<N> {
    fn pull_back(&self, x: &[f64], at: Level, probes: &[Vec<f64>]) -> Result<PulledBack, Infallible> {
        let (points, _) = x.as_chunks::<N>();
        let jacobian = self.jacobian(&points[0], at);
        let product = |v: &Vec<f64>| (0..N).map(|j| (0..N).map(|i| v[i] * jacobian[i][j]).sum()).collect();
        Ok(PulledBack { x0: self.denoise(x, at)?, products: probes.iter().map(product).collect() })
    }
}
