//! A few Gaussians, each a class.

use super::polar;
use crate::denoise::ideal::Component;
use crate::lab::Part;
use std::f64::consts::TAU;

fn classes(means: impl IntoIterator<Item = [f64; 2]>, std: f64) -> Vec<Part> {
    let part = |(class, mean)| Part { class, component: Component { weight: 1.0, mean, std } };
    (0..).zip(means).map(part).collect()
}

/// Four at (±2, ±2) of standard deviation 0.5.
pub fn four() -> Vec<Part> {
    classes([[2.0, 2.0], [-2.0, 2.0], [-2.0, -2.0], [2.0, -2.0]], 0.5)
}

/// One beside the middle, so that it is seen to move there.
pub fn one() -> Vec<Part> {
    classes([[1.5, 1.0]], 0.75)
}

/// Eight around a circle.
pub fn ring() -> Vec<Part> {
    classes((0..8).map(|k| polar(3.0, TAU * f64::from(k) / 8.0)), 0.3)
}
