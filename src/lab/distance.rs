//! How far two clouds are from each other.

use super::Cloud;
use std::cmp::Ordering;
use std::f64::consts::{FRAC_PI_2, PI};

/// Directions that clouds are looked at from, evenly around half a circle. In the plane these are better than random
/// ones: a mean over them misses that over all by less than a thousandth.
const DIRECTIONS: usize = 64;

/// Two distances between clouds of any sizes, each 0 for equal ones. Both are means over what a line in each direction
/// sees, so that all points count and `n` of them cost `n log n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distances {
    /// The sliced Wasserstein distance of order 2, in units of the plane: the root of the mean over directions of the squared
    /// distance between the clouds' quantiles (Bonneel et al. 2015, doi 10.1007/s10851-014-0506-3). Clouds that are the same but
    /// for a shift `d` are `|d| / sqrt(2)` apart.
    pub sliced_wasserstein: f64,
    /// The energy distance `2 E|X - Y| - E|X - X'| - E|Y - Y'|`, in units of the plane (Székely & Rizzo 2013, doi
    /// 10.1016/j.jspi.2013.03.018, equation 5). On a line it is `2 int (F - G)^2`, and the length of a vector of the plane is
    /// `pi / 2` times the mean length of its shadows. Clouds of `n` and `m` points from one distribution have `(1/n + 1/m) E|X - X'|` in
    /// the mean.
    pub energy: f64,
}

impl Distances {
    /// Between `a` and `b`, neither empty.
    pub fn between(a: &Cloud, b: &Cloud) -> Self {
        let (mut wasserstein, mut energy) = (0.0, 0.0);
        for k in 0..DIRECTIONS {
            let direction = libm::sincos(PI * (k as f64 + 0.5) / DIRECTIONS as f64);
            let (a, b) = (shadow(a, direction), shadow(b, direction));
            wasserstein += between_quantiles(&a, &b);
            energy += 2.0 * between_shares(&a, &b);
        }
        let mean = 1.0 / DIRECTIONS as f64;
        Self { sliced_wasserstein: (wasserstein * mean).sqrt(), energy: FRAC_PI_2 * energy * mean }
    }
}

/// Where the points lie along a direction, in order.
fn shadow(cloud: &Cloud, (sin, cos): (f64, f64)) -> Vec<f64> {
    let mut places: Vec<f64> = cloud.0.iter().map(|[x, y]| x * cos + y * sin).collect();
    places.sort_unstable_by(f64::total_cmp);
    places
}

/// `int_0^1 (F^-1(u) - G^-1(u))^2 du` of points in order.
fn between_quantiles(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len(), b.len());
    let (mut i, mut j, mut done, mut sum) = (0, 0, 0, 0.0);
    // In shares of 1 / (n m), so that nothing is rounded.
    while i < n && j < m {
        let (ends_a, ends_b) = ((i + 1) * m, (j + 1) * n);
        let next = ends_a.min(ends_b);
        sum += (next - done) as f64 * (a[i] - b[j]).powi(2);
        done = next;
        i += usize::from(ends_a == next);
        j += usize::from(ends_b == next);
    }
    sum / (n * m) as f64
}

/// `int (F - G)^2 dx` of points in order.
fn between_shares(a: &[f64], b: &[f64]) -> f64 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    let mut before = a[0].min(b[0]);
    while i < a.len() || j < b.len() {
        let first = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => x.total_cmp(y),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let here = if first == Ordering::Greater { b[j] } else { a[i] };
        let apart = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
        sum += apart * apart * (here - before);
        before = here;
        i += usize::from(first != Ordering::Greater);
        j += usize::from(first == Ordering::Greater);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::CloudNoise;
    use crate::math::Latent;

    fn near(a: f64, b: f64, relative: f64) {
        assert!((a - b).abs() <= relative * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn a_shift_is_as_far_as_it_is_long() {
        let cloud = CloudNoise::new(1).draw(500);
        for d in [[0.3, -0.4], [2.0, 0.0], [-1.0, 5.0]] {
            let shifted = cloud.map(|x| x.mix(1.0, &d, 1.0));
            // The mean of cos^2 over even directions is 1/2 without error.
            near(Distances::between(&cloud, &shifted).sliced_wasserstein, d[0].hypot(d[1]) / 2.0_f64.sqrt(), 1e-12);
            let points = [Cloud(vec![[1.0, 2.0]; 3]), Cloud(vec![[1.0 + d[0], 2.0 + d[1]]; 5])];
            // Twice the distance of two points; |cos| has kinks, which even directions see to a thousandth.
            near(Distances::between(&points[0], &points[1]).energy, 2.0 * d[0].hypot(d[1]), 1e-3);
        }
        let same = Distances::between(&cloud, &cloud);
        assert!(same.sliced_wasserstein < 1e-12 && same.energy < 1e-12, "{same:?}");
    }

    /// Against all pairs, for clouds of other sizes.
    #[test]
    fn the_energy_is_that_of_all_pairs() {
        let mut noise = CloudNoise::new(2);
        let (a, b) = (noise.draw(90), noise.draw(70).map(|x| [1.5 * x[0] + 0.4, x[1]]));
        let mean = |a: &Cloud, b: &Cloud| {
            let pairs = a.0.iter().flat_map(|x| b.0.iter().map(move |y| (x[0] - y[0]).hypot(x[1] - y[1])));
            pairs.sum::<f64>() / (a.0.len() * b.0.len()) as f64
        };
        let expected = 2.0 * mean(&a, &b) - mean(&a, &a) - mean(&b, &b);
        // Each of the three means is off by less than a thousandth.
        near(Distances::between(&a, &b).energy, expected, 2e-3 * mean(&a, &b) / expected);
        let (there, back) = (Distances::between(&a, &b), Distances::between(&b, &a));
        near(there.energy, back.energy, 1e-12);
        near(there.sliced_wasserstein, back.sliced_wasserstein, 1e-12);
    }

    /// `N(0, 1)` and `N(d, s^2)` on every line: `W2^2 = d^2 + (1 - s)^2`, so `|d|^2 / 2 + (1 - s)^2` in the mean.
    #[test]
    fn two_gaussians_are_as_far_as_the_formula_says() {
        const N: usize = 100_000;
        let mut noise = CloudNoise::new(3);
        let (d, s) = ([0.6, -0.8], 1.5);
        let (a, b) = (noise.draw(N), noise.draw(N / 2).map(|x| x.mix(s, &d, 1.0)));
        let got = Distances::between(&a, &b);
        // Five standard errors: means and widths of samples are off by about N^-1/2.
        let expected: f64 = 0.5 + 0.25;
        assert!((got.sliced_wasserstein - expected.sqrt()).abs() < 5.0 * s / (N as f64 / 2.0).sqrt(), "{got:?}");
        // Around one centre, with E|N(0, v)| = sqrt(pi v / 2) in the plane. One standard error is about a hundredth.
        let expected = (2.0 * PI * (1.0 + s * s)).sqrt() - PI.sqrt() * (1.0 + s);
        let wide = b.map(|x| x.mix(1.0, &d, -1.0));
        near(Distances::between(&a, &wide).energy, expected, 5e-2);
    }
}
