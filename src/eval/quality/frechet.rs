//! The Fréchet distance of two Gaussians.

use super::Points;
use super::symmetric::{Square, eigen};
use thiserror::Error;

/// A normal distribution of several dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    covariance: Square,
}

/// Why no Gaussian fits.
#[derive(Debug, Error, PartialEq)]
pub enum FitError {
    #[error("A covariance needs at least 2 points, got {0}.")]
    TooFew(usize),
    #[error(
        "The features hold numbers that are not finite; the classifier's weights are damaged or not for these pictures."
    )]
    NotFinite,
}

impl Gaussian {
    /// The Gaussian with this `mean` of `n` numbers and this symmetric `covariance` of `n * n`, row by row.
    ///
    /// # Panics
    /// If there are not as many numbers.
    pub fn new(mean: &[f64], covariance: &[f64]) -> Self {
        assert_eq!(covariance.len(), mean.len() * mean.len(), "a covariance is square");
        Self { mean: mean.to_vec(), covariance: Square::new(covariance.to_vec(), mean.len()) }
    }

    /// Mean and unbiased covariance of `points`.
    ///
    /// # Errors
    /// Fewer than two points; coordinates that are not finite.
    pub fn fit(points: &Points) -> Result<Self, FitError> {
        let n = points.len();
        if n < 2 {
            return Err(FitError::TooFew(n));
        }
        if points.values().iter().any(|v| !v.is_finite()) {
            return Err(FitError::NotFinite);
        }
        let dimensions = points.dimensions();
        let mut mean = vec![0.0; dimensions];
        for point in points.iter() {
            mean.iter_mut().zip(point).for_each(|(sum, v)| *sum += f64::from(*v) / n as f64);
        }
        let mut covariance = vec![0.0; dimensions * dimensions];
        for point in points.iter() {
            let apart: Vec<_> = point.iter().zip(&mean).map(|(v, mean)| f64::from(*v) - mean).collect();
            for (row, a) in covariance.chunks_exact_mut(dimensions).zip(&apart) {
                row.iter_mut().zip(&apart).for_each(|(sum, b)| *sum += a * b / (n - 1) as f64);
            }
        }
        Ok(Self { mean, covariance: Square::new(covariance, dimensions) })
    }
}

/// The squared Fréchet distance (Dowson & Landau 1982, doi 10.1016/0047-259X(82)90077-X), the number that is given as FID
/// where the features are those of Inception (Heusel et al. 2017, arXiv 1706.08500, equation 6):
///
/// `|m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1^{1/2} S_2 S_1^{1/2})^{1/2})`.
///
/// The product under the last root is symmetric, so that its eigenvalues are real; rounding below 0 is taken for 0.
///
/// # Panics
/// If the dimensions differ.
pub fn frechet(a: &Gaussian, b: &Gaussian) -> f64 {
    let apart: f64 = a.mean.iter().zip(&b.mean).map(|(a, b)| (a - b).powi(2)).sum();
    let root = square_root(&a.covariance);
    let overlap: f64 = eigen(root.times(&b.covariance).times(&root)).values.iter().map(|v| v.max(0.0).sqrt()).sum();
    (apart + a.covariance.trace() + b.covariance.trace() - 2.0 * overlap).max(0.0)
}

/// The symmetric root of a symmetric matrix without negative eigenvalues.
fn square_root(matrix: &Square) -> Square {
    let eigen = eigen(matrix.clone());
    let roots: Vec<_> = eigen.values.iter().map(|v| v.max(0.0).sqrt()).collect();
    let scaled = eigen.vectors.scaled_rows(&roots);
    eigen.vectors.transposed().times(&scaled)
}
