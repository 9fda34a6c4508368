//! The scalars of methods that take the model's estimate for a polynomial over a step, in one place.
//!
//! In log-SNR the probability-flow ODE is a linear part, solved exactly, and the estimate. Over a step of length `h`,
//! run through by `u` from 0 to 1, the exact solution wants a mean of the estimate: with weight `e^((1-u) z)`, where
//! `z = h` for estimates of the noise and `z = -h` for those of the data (Lu et al. 2022, arXiv 2206.00927, equation 3.4,
//! and 2211.01095, equation 8). With `z = 0` it is the plain mean of an Adams-Bashforth method. An estimate that is a
//! polynomial has as its mean the same mix of the polynomial's coefficients as the weight has moments.

use crate::math::Level;

/// Means of `1, u, u^2, u^3, u^4` over a step.
pub(super) type Moments = [f64; 5];

/// The moments that lead to the midpoint rule: the estimate at the middle of the step, whatever the weight.
pub(super) const MIDPOINT: Moments = [1.0, 0.5, 0.25, 0.125, 0.0625];

/// `phi_k(z) = sum_j z^j / (j + k)!`, the functions of exponential integrators (Hochbruck & Ostermann 2010,
/// doi 10.1017/S0962492910000048, section 2.1): `phi_0 = e^z`, `phi_{k+1} = (phi_k - 1/k!) / z`.
pub(super) fn phi(k: u32, z: f64) -> f64 {
    const TERMS: u32 = 20;
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    if z.abs() < 1.0 {
        // The recursion would cancel. From the last term inwards: ((... z / (k+2) + 1) z / (k+1) + 1) / k!
        return (1..=TERMS).rev().fold(1.0, |sum, j| 1.0 + sum * z / f64::from(k + j)) / factorial(k);
    }
    (1..k).fold(z.exp_m1() / z, |phi, k| (phi - 1.0 / factorial(k)) / z)
}

/// The moments of the exact weight: `k! phi_{k+1}(z) / phi_1(z)`.
pub(super) fn moments(z: f64) -> Moments {
    let [constant, slope, curve, third, fourth] = differences(z);
    [constant, slope, 2.0 * curve, 6.0 * third, 24.0 * fourth]
}

/// The moments without their factorials: those that the multistep DPM-Solvers of third order weigh differences with.
pub(super) fn differences(z: f64) -> Moments {
    let first = phi(1, z);
    [1.0, phi(2, z) / first, phi(3, z) / first, phi(4, z) / first, phi(5, z) / first]
}

/// The mean over a step of the polynomial through values at `nodes`, as the weight of each value. The weights sum to 1.
/// The step runs from 0 to 1; the nodes are distinct, and as many as there are moments or fewer.
pub(super) fn weights(nodes: &[f64], moments: &Moments) -> Vec<f64> {
    let weight = |i: usize| {
        // Lagrange's polynomial: 1 at its own node and 0 at the others; its coefficients, constant first.
        let mut lagrange = [1.0, 0.0, 0.0, 0.0, 0.0];
        for (_, other) in nodes.iter().enumerate().filter(|(j, _)| *j != i) {
            let scale = 1.0 / (nodes[i] - other);
            for k in (0..lagrange.len()).rev() {
                let lower = if k > 0 { lagrange[k - 1] } else { 0.0 };
                lagrange[k] = (lower - other * lagrange[k]) * scale;
            }
        }
        lagrange.iter().zip(moments).map(|(a, m)| a * m).sum()
    };
    (0..nodes.len()).map(weight).collect()
}

/// The constants of Adams and Bashforth's method of this order, newest first: the weights of estimates that stand a step
/// apart, where the step's own weight is the same all over. At most order 4.
pub(super) fn adams_bashforth(order: usize) -> Vec<f64> {
    weights(&[0.0, -1.0, -2.0, -3.0][..order], &moments(0.0))
}

/// Where `levels` stand on a step that runs from 0 at `begin` to 1 at `end`, measured in `coordinate`.
///
/// A level infinitely far away tells nothing of the estimate's slope here: the list ends before it, and a step that is
/// infinitely long has no list.
pub(super) fn nodes(levels: &[Level], (begin, end): (Level, Level), coordinate: fn(&Level) -> f64) -> Vec<f64> {
    let length = coordinate(&end) - coordinate(&begin);
    let node = |level: &Level| (coordinate(level) - coordinate(&begin)) / length;
    levels.iter().map(node).take_while(|node| node.is_finite() && length.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phi_is_its_integral_small_or_large() {
        // phi_k(z) = integral of e^((1-u) z) u^(k-1) / (k-1)!, by Simpson's rule.
        for (k, factorial) in [(1, 1.0), (2, 1.0), (3, 2.0), (4, 6.0), (5, 24.0)] {
            for z in [-30.0, -2.0, -1.0, -0.999, -1e-3, -1e-9, 0.0, 1e-12, 0.3, 1.0, 1.001, 5.0, 30.0] {
                let f = |u: f64| ((1.0 - u) * z).exp() * u.powi(k - 1) / factorial;
                let n = 20_000;
                let panel = |i: usize| {
                    let at = |part: f64| f((i as f64 + part) / n as f64);
                    (at(0.0) + 4.0 * at(0.5) + at(1.0)) / (6.0 * n as f64)
                };
                let integral: f64 = (0..n).map(panel).sum();
                let off = (phi(k as u32, z) / integral - 1.0).abs();
                assert!(off < 1e-12, "phi_{k}({z}) is off by {off:e}");
            }
        }
    }

    #[test]
    fn equal_steps_give_adams_and_bashforths_constants() {
        for (found, known) in adams_bashforth(4).iter().zip([55.0, -59.0, 37.0, -9.0]) {
            assert!((found - known / 24.0).abs() < 1e-14, "{found} for {known} / 24");
        }
    }
}
