//! The roll of Marsland 2009 ("Machine Learning: An Algorithmic Perspective") seen from its end, evenly along its length;
//! each quarter of the length is a class.

use super::{along, polar};
use crate::lab::Part;
use std::f64::consts::PI;

pub fn parts() -> Vec<Part> {
    let (first, last) = (1.5 * PI, 4.5 * PI);
    let point = |u: f64| {
        let angle = (first * first * (1.0 - u) + last * last * u).sqrt();
        polar(3.5 * angle / last, angle)
    };
    (0..4).flat_map(|class| along(class, 48, 0.1, move |u| point((f64::from(class) + u) / 4.0))).collect()
}
