//! Symmetric matrices and their eigenvalues.

/// A square matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Square {
    values: Vec<f64>,
    n: usize,
}

impl Square {
    /// `values` are `n` rows of `n`.
    pub fn new(values: Vec<f64>, n: usize) -> Self {
        Self { values, n }
    }

    fn unit(n: usize) -> Self {
        Self::new((0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect(), n)
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.n + column]
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.n)
    }

    pub fn trace(&self) -> f64 {
        (0..self.n).map(|i| self.at(i, i)).sum()
    }

    pub fn transposed(&self) -> Self {
        let n = self.n;
        Self::new((0..n * n).map(|at| self.at(at % n, at / n)).collect(), n)
    }

    /// Each row times its factor.
    pub fn scaled_rows(&self, factors: &[f64]) -> Self {
        let scaled = self.rows().zip(factors).flat_map(|(row, factor)| row.iter().map(move |v| v * factor));
        Self::new(scaled.collect(), self.n)
    }

    /// The matrix product.
    pub fn times(&self, other: &Self) -> Self {
        let mut product = vec![0.0; self.n * self.n];
        for (out, row) in product.chunks_exact_mut(self.n).zip(self.rows()) {
            for (factor, other) in row.iter().zip(other.rows()) {
                out.iter_mut().zip(other).for_each(|(sum, v)| *sum += factor * v);
            }
        }
        Self::new(product, self.n)
    }

    /// Rotates rows `p < q`: `p` becomes `c p - s q`, `q` becomes `s p + c q`.
    fn rotate(&mut self, (p, q): (usize, usize), (c, s): (f64, f64)) {
        let (above, below) = self.values.split_at_mut(q * self.n);
        let first = &mut above[p * self.n..(p + 1) * self.n];
        for (a, b) in first.iter_mut().zip(&mut below[..self.n]) {
            (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
        }
    }
}

/// Eigenvalues, and below each other the eigenvectors as rows.
pub(super) struct Eigen {
    pub values: Vec<f64>,
    pub vectors: Square,
}

/// More sweeps than any matrix needs; the error of one is about the square of the error before it.
const SWEEPS: usize = 60;

/// The eigenvalues of the symmetric `matrix`, in no order, by Jacobi's rotations: each makes one number beside the diagonal
/// zero (Golub & Van Loan, Matrix Computations, 4th edition, section 8.5.2). Accurate to rounding, and quick enough for the
/// some hundred dimensions of features.
pub(super) fn eigen(mut matrix: Square) -> Eigen {
    let n = matrix.n;
    let mut vectors = Square::unit(n);
    let size: f64 = matrix.values.iter().map(|v| v * v).sum();
    for _ in 0..SWEEPS {
        let beside: f64 = (0..n).flat_map(|p| (0..p).map(move |q| (p, q))).map(|(p, q)| matrix.at(p, q).powi(2)).sum();
        if beside <= (n as f64 * f64::EPSILON).powi(2) * size {
            break;
        }
        for (p, q) in (0..n).flat_map(|q| (0..q).map(move |p| (p, q))) {
            let off = matrix.at(p, q);
            if off == 0.0 {
                continue;
            }
            // The smaller of the two angles that make it zero.
            let tau = (matrix.at(q, q) - matrix.at(p, p)) / (2.0 * off);
            let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
            let c = 1.0 / t.hypot(1.0);
            let rotation = (c, t * c);
            matrix.rotate((p, q), rotation);
            vectors.rotate((p, q), rotation);
            for row in matrix.values.chunks_exact_mut(n) {
                (row[p], row[q]) =
                    (rotation.0 * row[p] - rotation.1 * row[q], rotation.1 * row[p] + rotation.0 * row[q]);
            }
        }
    }
    Eigen { values: (0..n).map(|i| matrix.at(i, i)).collect(), vectors }
}
