//! Whether samples are copies of training pictures.

use super::Neighbour;

/// A sample counts as memorised when its nearest training picture is at most this share as far away as the second
/// nearest: it then belongs to that one picture, whatever their scale (Gu et al. 2023, arXiv 2310.02664, section 2, after
/// Yoon et al. 2023, <https://openreview.net/forum?id=shciCbSk9h>).
pub const RATIO: f64 = 1.0 / 3.0;

/// The share of memorised samples, 0 to 1, given the two nearest training pictures of each.
pub fn memorised(nearest: &[Vec<Neighbour>]) -> f64 {
    let copy = |near: &&Vec<Neighbour>| match near.as_slice() {
        [first, second, ..] => first.distance <= RATIO * second.distance,
        _ => false,
    };
    nearest.iter().filter(copy).count() as f64 / nearest.len() as f64
}

/// The mean distance of samples from their nearest training picture.
pub fn distance(nearest: &[Vec<Neighbour>]) -> f64 {
    let first: f64 = nearest.iter().filter_map(|near| near.first()).map(|near| near.distance).sum();
    first / nearest.len() as f64
}
