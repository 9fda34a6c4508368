//! Two arms of an Archimedean spiral, evenly along their length.

use super::{along, polar};
use crate::lab::Part;
use std::f64::consts::PI;

pub fn parts() -> Vec<Part> {
    let (first, last) = (0.5 * PI, 3.0 * PI);
    // The length of an arm grows as the square of the angle.
    let angle = move |u: f64| (first * first * (1.0 - u) + last * last * u).sqrt();
    let arm = |turn: f64| move |u: f64| polar(3.5 * angle(u) / last, angle(u) + turn);
    [along(0, 128, 0.1, arm(0.0)), along(1, 128, 0.1, arm(PI))].concat()
}
