//! Latent diffusion in the plane: an autoencoder of a curve, whose latent is one number, and the diffusion of that number.
//!
//! The two stages are those of Rombach et al. 2022 (arXiv 2112.10752). The first one (section 3.1) is an autoencoder: `E(x)` is the place
//! on a curve through the data that is nearest to `x`, as for a principal curve (Hastie & Stuetzle 1989, doi
//! 10.1080/01621459.1989.10478797), and `D(z)` is the point at that place. The second one (section 3.2, equation 2) is diffusion of `z`,
//! scaled to a standard deviation, for which unit variance is meant (appendix G), with the samplers and processes that the plane has.

use super::{Cloud, Distribution, Process};
use crate::denoise::ideal::{Component, Noised};
use crate::denoise::{Denoiser, Mixture};
use crate::math::{Latent, Level};
use std::f64::consts::TAU;

/// How many widths of its last Gaussian the curve goes on beyond it: what lies further out is one point in 700.
const BEYOND: f64 = 3.0;

/// Points that a Gaussian is encoded by: so many directions, on rings that the same share of it lies within. A data set of very many
/// Gaussians has fewer for each.
const DIRECTIONS: usize = 8;
const RINGS: usize = 4;
const MANY: usize = 512;

/// Parts of the curve that the latents are counted in.
const BINS: usize = 256;

/// How many widths of a part of the latents' mixture its neighbours are apart: their sum is even to less than 4e-4.
const APART: f64 = 1.5;

/// A line of straight pieces, measured by its length.
#[derive(Clone, Debug, PartialEq)]
struct Path {
    points: Vec<[f64; 2]>,
    /// How long the line is up to each point.
    at: Vec<f64>,
}

impl Path {
    /// Through these points, at least one, and `beyond` further at both ends.
    fn through(means: &[[f64; 2]], beyond: f64) -> Self {
        let mut points: Vec<[f64; 2]> = Vec::new();
        for mean in means {
            if points.last().is_none_or(|last| distance(last, mean) > 0.0) {
                points.push(*mean);
            }
        }
        let outwards = |end: &[f64; 2], inner: Option<&[f64; 2]>, alone: f64| {
            let towards =
                inner.map_or([alone, 0.0], |inner| end.mix(1.0, inner, -1.0).scale(1.0 / distance(end, inner)));
            end.mix(1.0, &towards, beyond)
        };
        let last = points.len() - 1;
        let front = outwards(&points[0], points.get(1), -1.0);
        let back = outwards(&points[last], last.checked_sub(1).map(|i| &points[i]), 1.0);
        points.insert(0, front);
        points.push(back);
        let mut length = 0.0;
        let pieces = points.windows(2).map(|pair| {
            length += distance(&pair[0], &pair[1]);
            length
        });
        let at = std::iter::once(0.0).chain(pieces).collect();
        Self { points, at }
    }

    fn length(&self) -> f64 {
        self.at.last().copied().unwrap_or_default()
    }

    /// The point at a place; an end for places beyond it.
    fn point(&self, place: f64) -> [f64; 2] {
        let i = self.at.partition_point(|at| *at <= place).clamp(1, self.at.len() - 1);
        let share = ((place - self.at[i - 1]) / (self.at[i] - self.at[i - 1])).clamp(0.0, 1.0);
        self.points[i - 1].mix(1.0 - share, &self.points[i], share)
    }

    /// The place that is nearest to a point.
    fn place(&self, x: &[f64; 2]) -> f64 {
        let (mut nearest, mut found) = (f64::INFINITY, 0.0);
        for (i, pair) in self.points.windows(2).enumerate() {
            let (way, from) = (pair[1].mix(1.0, &pair[0], -1.0), x.mix(1.0, &pair[0], -1.0));
            let square = way[0] * way[0] + way[1] * way[1];
            let share = ((way[0] * from[0] + way[1] * from[1]) / square).clamp(0.0, 1.0);
            let off = from.mix(1.0, &way, -share);
            let apart = off[0] * off[0] + off[1] * off[1];
            if apart < nearest {
                (nearest, found) = (apart, self.at[i] + share * (self.at[i + 1] - self.at[i]));
            }
        }
        found
    }
}

/// An autoencoder of a data set, with the distribution of its latents.
#[derive(Clone, Debug)]
pub struct Autoencoder {
    path: Path,
    /// The mean of the places of the data, which is the latent 0.
    centre: f64,
    /// The standard deviation of the places.
    spread: f64,
    scale: f64,
    /// The standard deviation of the data's narrowest Gaussian.
    width: f64,
    latents: Mixture<1>,
}

impl Autoencoder {
    /// The autoencoder whose curve goes through the means of a distribution's Gaussians: within a class from each to the nearest that is left,
    /// and from class to class over the smallest gaps. `std` is the standard deviation that latents are scaled to.
    ///
    /// Each Gaussian is encoded point by point, and the places are counted in bins, each of which is a Gaussian of the latents' mixture.
    pub fn new(distribution: &Distribution, std: f64) -> Self {
        let width = distribution.narrowest();
        let path = Path::through(&ordered(distribution), BEYOND * width);
        let components = distribution.mixture().components();
        let rings = if components.len() > MANY { 1 } else { RINGS };
        let bin = path.length() / BINS as f64;
        // The weight of each bin, and the first and second moment of the places in it.
        let mut bins = [[0.0; 3]; BINS];
        for Component { weight, mean, std } in components {
            for point in ring_points(rings) {
                let place = path.place(&mean.mix(1.0, &point, *std));
                let bin = &mut bins[((place / bin) as usize).min(BINS - 1)];
                *bin = bin.mix(1.0, &[1.0, place, place * place], *weight);
            }
        }
        let parts = bins.iter().filter(|[weight, ..]| *weight > 0.0).map(|[weight, first, second]| {
            let mean = first / weight;
            let std = (second / weight - mean * mean).max(0.0).sqrt().max(bin / APART);
            (*weight, mean, std)
        });
        let parts: Vec<_> = parts.collect();
        let total: f64 = parts.iter().map(|(weight, ..)| weight).sum();
        let over = |f: &dyn Fn(f64, f64) -> f64| parts.iter().map(|(w, m, s)| w * f(*m, *s)).sum::<f64>() / total;
        let centre = over(&|mean, _| mean);
        let spread = over(&|mean, std| (mean - centre).powi(2) + std * std).sqrt();
        let scale = std / spread;
        let part = |(weight, mean, std): &(f64, f64, f64)| Component {
            weight: *weight,
            mean: [(mean - centre) * scale],
            std: std * scale,
        };
        let latents =
            Mixture::new(parts.iter().map(part).collect()).expect("every bin that is kept has weight and width");
        Self { path, centre, spread, scale, width, latents }
    }

    /// `z = E(x)`.
    pub fn encode(&self, x: &[f64; 2]) -> f64 {
        (self.path.place(x) - self.centre) * self.scale
    }

    /// `x = D(z)`: always a point of the curve, and an end of it for latents beyond it.
    pub fn decode(&self, z: f64) -> [f64; 2] {
        self.path.point(z / self.scale + self.centre)
    }

    /// `D(E(x))` of each point.
    pub fn reconstruct(&self, x: &Cloud) -> Cloud {
        x.map(|x| self.decode(self.encode(x)))
    }

    /// The root of the mean squared distance of points from what they are reconstructed as: how far they are off the curve.
    pub fn error(&self, x: &Cloud) -> f64 {
        let square = |x: &[f64; 2]| distance(x, &self.decode(self.encode(x))).powi(2);
        (x.0.iter().map(square).sum::<f64>() / x.0.len() as f64).sqrt()
    }

    /// The share of points that are further off the curve than all but one in 370 of the data along it are.
    pub fn astray(&self, x: &Cloud) -> f64 {
        let far = |x: &&[f64; 2]| distance(x, &self.decode(self.encode(x))) > BEYOND * self.width;
        x.0.iter().filter(far).count() as f64 / x.0.len() as f64
    }

    /// The points of the curve: all that the decoder can reach.
    pub fn curve(&self) -> Cloud {
        Cloud(self.path.points.clone())
    }

    /// What places on the curve are multiplied by.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The standard deviation of the places on the curve, in units of the plane.
    pub fn spread(&self) -> f64 {
        self.spread
    }

    /// The distribution of the latents.
    pub fn latents(&self) -> &Mixture<1> {
        &self.latents
    }

    /// The standard deviation of the narrowest part of the latents.
    pub fn narrowest(&self) -> f64 {
        self.latents.components().iter().map(|part| part.std).fold(f64::INFINITY, f64::min)
    }

    /// The latents of a cloud of pairs, decoded: `n` points.
    pub fn decoded(&self, z: &Cloud, n: usize) -> Cloud {
        Cloud(z.0.as_flattened().iter().take(n).map(|z| self.decode(*z)).collect())
    }

    /// Where latents and their levels stand in a picture of both, `-1..=1` each way: across by the latent, as wide as the curve and the noise
    /// at that level are, and up by the clock.
    pub fn placed(&self, z: &Cloud, n: usize, (process, at): (&Process, Level)) -> Cloud {
        let (across, up) = (1.0 / self.reach(at), 2.0 * process.clock(at) - 1.0);
        Cloud(z.0.as_flattened().iter().take(n).map(|z| [z * across, up]).collect())
    }

    /// `ln p_t(z)` in each cell of that picture less the largest of its row, row-major from the noise at the top.
    pub fn landscape(&self, process: &Process, cells: usize) -> Vec<f32> {
        let middle = |i: usize| (i as f64 + 0.5) / cells as f64;
        let row = |i: usize| {
            let at = process.level(1.0 - middle(i));
            let (here, reach) = (self.latents.at(at), self.reach(at));
            let logs: Vec<f64> = (0..cells).map(|j| here.log_density(&[reach * (2.0 * middle(j) - 1.0)])).collect();
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            logs.into_iter().map(move |log| (log - top) as f32)
        };
        (0..cells).flat_map(row).collect()
    }

    /// The largest latent that the picture shows at a level.
    fn reach(&self, at: Level) -> f64 {
        let ends = [0.0, self.path.length()].map(|place| ((place - self.centre) * self.scale).abs());
        (at.alpha * ends[0].max(ends[1])).max(BEYOND * at.alpha.hypot(at.sigma))
    }
}

/// The exact denoiser of latents. A point of a cloud is a pair of latents that know nothing of each other, so that the samplers step
/// latents as they step points.
impl Denoiser<Cloud> for Autoencoder {
    fn denoise(&self, z: &Cloud, at: Level) -> Cloud {
        let here: Noised<1> = self.latents.at(at);
        z.map(|pair| pair.map(|z| here.posterior(&[z]).x0[0]))
    }
}

fn distance(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Points of a standard normal of the plane, all as likely: the middles of rings of the same share, in all directions.
fn ring_points(rings: usize) -> impl Iterator<Item = [f64; 2]> {
    (0..rings).flat_map(move |ring| {
        let outside = 1.0 - (ring as f64 + 0.5) / rings as f64;
        let radius = (-2.0 * outside.ln()).sqrt();
        (0..DIRECTIONS).map(move |i| {
            let (sin, cos) = libm::sincos(TAU * (i as f64 + 0.5 * (ring % 2) as f64) / DIRECTIONS as f64);
            [radius * cos, radius * sin]
        })
    })
}

/// The means of a distribution's Gaussians in the order of the curve.
fn ordered(distribution: &Distribution) -> Vec<[f64; 2]> {
    let class = |k| distribution.only(k).map(|class| strand(class.components().iter().map(|c| c.mean).collect()));
    let mut strands: Vec<_> = (0..distribution.classes()).filter_map(class).collect();
    let mut curve = strands.remove(0);
    while !strands.is_empty() {
        let ends = |strand: &[[f64; 2]]| [strand[0], strand[strand.len() - 1]];
        let mut best = (f64::INFINITY, 0, (false, false));
        for (i, strand) in strands.iter().enumerate() {
            for (front, from) in [(true, ends(&curve)[0]), (false, ends(&curve)[1])] {
                for (turned, to) in [(front, ends(strand)[0]), (!front, ends(strand)[1])] {
                    let gap = distance(&from, &to);
                    if gap < best.0 {
                        best = (gap, i, (front, turned));
                    }
                }
            }
        }
        let (_, i, (front, turned)) = best;
        let mut next = strands.remove(i);
        if turned {
            next.reverse();
        }
        curve = if front { [next, curve].concat() } else { [curve, next].concat() };
    }
    curve
}

/// Points from the one that is furthest from their middle, each followed by the nearest that is left.
fn strand(mut left: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let middle = left.iter().fold([0.0; 2], |sum, x| sum.mix(1.0, x, 1.0 / left.len() as f64));
    let by = |left: &[[f64; 2]], of: [f64; 2], sign: f64| {
        let key = |i: &usize| sign * distance(&left[*i], &of);
        (0..left.len()).min_by(|a, b| key(a).total_cmp(&key(b)))
    };
    let mut strand = Vec::new();
    let mut next = by(&left, middle, -1.0);
    while let Some(i) = next {
        let x = left.swap_remove(i);
        strand.push(x);
        next = by(&left, x, 1.0);
    }
    strand
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_measured_by_its_length() {
        let path = Path::through(&[[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [3.0, 4.0]], 1.0);
        assert_eq!(path.points, [[-1.0, 0.0], [0.0, 0.0], [3.0, 0.0], [3.0, 4.0], [3.0, 5.0]]);
        assert_eq!((path.at.as_slice(), path.length()), (&[0.0, 1.0, 4.0, 8.0, 9.0][..], 9.0));
        for (place, point) in
            [(-7.0, [-1.0, 0.0]), (0.5, [-0.5, 0.0]), (4.0, [3.0, 0.0]), (6.0, [3.0, 2.0]), (99.0, [3.0, 5.0])]
        {
            assert_eq!(path.point(place), point, "{place}");
        }
        for (x, place) in [([1.0, 0.5], 2.0), ([2.0, 3.0], 7.0), ([9.0, -9.0], 4.0), ([2.0, 9.0], 9.0)] {
            assert_eq!(path.place(&x), place, "{x:?}");
        }
        // One Gaussian has a line through its middle.
        assert_eq!(Path::through(&[[1.0, 2.0]], 0.5).points, [[0.5, 2.0], [1.0, 2.0], [1.5, 2.0]]);
    }

    #[test]
    fn strands_are_joined_over_the_smallest_gaps() {
        // The middle one lies the other way round, and comes last.
        let means = [[[5.0, 0.0], [6.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]], [[4.0, 0.0], [2.0, 0.0]]];
        let part = |class: usize, mean: &[f64; 2]| super::super::Part {
            class: class as u8,
            component: Component { weight: 1.0, mean: *mean, std: 0.1 },
        };
        let parts: Vec<_> = means.iter().enumerate().flat_map(|(k, m)| m.iter().map(move |m| part(k, m))).collect();
        let order: Vec<f64> = ordered(&Distribution::new(&parts).unwrap()).iter().map(|x| x[0]).collect();
        assert_eq!(order, [0.0, 1.0, 2.0, 4.0, 5.0, 6.0]);
        let strand = strand(vec![[1.0, 0.0], [4.0, 0.0], [0.0, 0.0], [2.0, 0.0]]);
        assert_eq!(strand, [[4.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 0.0]]);
    }
}
