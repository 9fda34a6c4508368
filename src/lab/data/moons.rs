//! Two half circles, each around an end of the other.

use super::along;
use crate::lab::Part;
use std::f64::consts::PI;

pub fn parts() -> Vec<Part> {
    let upper = |u: f64| {
        let (sin, cos) = libm::sincos(PI * u);
        [2.0 * cos - 1.0, 2.0 * sin - 0.5]
    };
    let lower = |u: f64| upper(u).map(|v| -v);
    [along(0, 64, 0.15, upper), along(1, 64, 0.15, lower)].concat()
}
