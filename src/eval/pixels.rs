//! Likelihoods of pictures with 256 grey levels.

use crate::math::TorchGenerator;
use std::f64::consts::LN_2;

/// Distance of two neighbouring grey levels where values from `range[0]` to `range[1]` stand for the bytes 0 to 255.
pub fn bin([low, high]: [f64; 2]) -> f64 {
    (high - low) / 255.0
}

/// Uniform dequantisation: each of `values`, the grey levels of a picture in `range`, moved at random within its
/// [`bin`], of which it is the middle. The mean log density of such points, plus `ln bin` a dimension, is a lower bound
/// on the log probability of the picture (Theis et al. 2016, arXiv 1511.01844, section 3.1).
pub fn dequantise(values: &[f64], range: [f64; 2], generator: &mut TorchGenerator) -> Vec<f64> {
    let uniform = generator.rand_f64(values.len());
    values.iter().zip(uniform).map(|(v, u)| v + (u - 0.5) * bin(range)).collect()
}

/// Bits per dimension of a discrete sample of `n` dimensions whose negative log probability is `nats`.
pub fn bits_per_dimension(nats: f64, n: usize) -> f64 {
    nats / (n as f64 * LN_2)
}

/// Bits per dimension of a picture of `n` values in `range` whose dequantised log density is `log_p` nats: a density
/// times the width of the bin is a probability.
pub fn bits_per_dimension_of_density(log_p: f64, n: usize, range: [f64; 2]) -> f64 {
    bits_per_dimension(-log_p, n) - bin(range).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A density that is even over the range plus half a bin on either side gives each byte the probability 1/256.
    #[test]
    fn an_even_density_costs_eight_bits() {
        for range in [[-1.0, 1.0], [0.0, 1.0]] {
            let width = 256.0 * bin(range);
            let log_p = -3.0 * width.ln();
            assert!((bits_per_dimension_of_density(log_p, 3, range) - 8.0).abs() < 1e-12);
        }
    }

    #[test]
    fn dequantised_values_stay_in_their_bins() {
        let values: Vec<f64> = (0..256).map(|byte| f64::from(byte) / 127.5 - 1.0).collect();
        let moved = dequantise(&values, [-1.0, 1.0], &mut TorchGenerator::new(3));
        let back: Vec<f64> = moved.iter().map(|v| ((v + 1.0) * 127.5).round() / 127.5 - 1.0).collect();
        assert!(back.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(moved.iter().zip(&values).any(|(a, b)| (a - b).abs() > 0.4 * bin([-1.0, 1.0])));
    }
}
