//! Two circles around one centre.

use super::{along, polar};
use crate::lab::Part;
use std::f64::consts::TAU;

pub fn parts() -> Vec<Part> {
    let circle = |radius: f64| move |u: f64| polar(radius, TAU * u);
    [along(0, 64, 0.12, circle(1.5)), along(1, 128, 0.12, circle(3.0))].concat()
}
