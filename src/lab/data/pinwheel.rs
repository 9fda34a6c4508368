//! Five arms that bend the more the further out they are (Johnson et al. 2016, arXiv 1603.06277, section 5).

use super::{along, polar};
use crate::denoise::ideal::Component;
use crate::lab::Part;
use std::f64::consts::TAU;

pub fn parts() -> Vec<Part> {
    // Before the bend an arm is a Gaussian of this centre and width in radius.
    let (centre, std, scale) = (1.0, 0.3, 2.0);
    let radius = |u: f64| 0.1 * (1.0 - u) + 1.75 * u;
    let arm = |class: u8| {
        let turn = TAU * f64::from(class) / 5.0;
        let line = along(class, 48, 0.2, |u| [radius(u), 0.0]);
        line.into_iter().map(move |part| {
            let r = part.component.mean[0];
            let away = (r - centre) / std;
            let weight = part.component.weight * libm::exp(-0.5 * away * away);
            let mean = polar(scale * r, turn + 0.25 * libm::exp(r));
            Part { component: Component { weight, mean, ..part.component }, ..part }
        })
    };
    (0..5).flat_map(arm).collect()
}
