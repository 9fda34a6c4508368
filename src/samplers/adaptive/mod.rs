//! Methods that choose their own steps by the error they measure.

mod dopri5;
mod dpm_adaptive;
mod walker;

use super::table::Method;
use super::{Knob, Tuning};
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            order: 5,
            evaluations: 6,
            knobs: &[Knob::Tolerance, Knob::AbsoluteTolerance],
            tuning: Tuning { tolerance: 1e-3, absolute_tolerance: 1e-3, ..Tuning::DEFAULT },
            paper: "Dormand & Prince 1980, J. Comput. Appl. Math. 6, RK5(4)7M",
            ..Method::adaptive("dopri5", "Dormand-Prince 5(4)", dopri5::dopri5)
        },
        Method {
            order: 3,
            evaluations: 3,
            knobs: &[Knob::Order(3), Knob::Tolerance, Knob::AbsoluteTolerance, Knob::Eta, Knob::NoiseScale],
            tuning: Tuning { order: 3, ..Tuning::DEFAULT },
            comfyui: Some("dpm_adaptive"),
            k_diffusion: Some("sample_dpm_adaptive"),
            paper: "Lu et al. 2022, arXiv 2206.00927, appendix C",
            ..Method::adaptive("dpm-adaptive", "DPM-Solver-12 and 23", dpm_adaptive::dpm_adaptive)
        },
    ]
}
