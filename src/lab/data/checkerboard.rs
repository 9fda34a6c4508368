//! The eight dark squares of a board of four by four, each a class.

use crate::denoise::ideal::Component;
use crate::lab::Part;

/// Gaussians along a side of a square. They are half as wide as they are apart, so that their sum is even within 3 %.
const PER_SIDE: usize = 6;

/// Side of a square.
const SIDE: f64 = 1.8;

pub fn parts() -> Vec<Part> {
    let apart = SIDE / PER_SIDE as f64;
    let places = |square: usize| (0..PER_SIDE).map(move |i| (square as f64 - 2.0) * SIDE + (i as f64 + 0.5) * apart);
    let squares = (0..4).flat_map(|row| (0..4).filter(move |column| (row + column) % 2 == 0).map(move |c| (c, row)));
    let dark = |(class, (column, row)): (u8, (usize, usize))| {
        let means = places(row).flat_map(move |y| places(column).map(move |x| [x, y]));
        means.map(move |mean| Part { class, component: Component { weight: 1.0, mean, std: 0.5 * apart } })
    };
    (0..).zip(squares).flat_map(dark).collect()
}
