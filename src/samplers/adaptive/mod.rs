//! Methods that choose their own steps by the error they measure.

pub mod dopri5;
pub mod dpm_adaptive;
mod walker;

pub use dopri5::dopri5;
pub use dpm_adaptive::dpm_adaptive;

use super::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            order: 5,
            evaluations: 6,
            knobs: &[dopri5::TOLERANCE, dopri5::ABSOLUTE_TOLERANCE],
            paper: "Dormand & Prince 1980, J. Comput. Appl. Math. 6, RK5(4)7M",
            ..Method::adaptive("dopri5", "Dormand-Prince 5(4)", dopri5::dopri5)
        },
        Method {
            order: 3,
            evaluations: 3,
            noise: Some(dpm_adaptive::ETA),
            knobs: &[
                dpm_adaptive::ORDER,
                dpm_adaptive::TOLERANCE,
                dpm_adaptive::ABSOLUTE_TOLERANCE,
                dpm_adaptive::ETA,
                dpm_adaptive::NOISE_SCALE,
            ],
            comfyui: Some("dpm_adaptive"),
            k_diffusion: Some("sample_dpm_adaptive"),
            paper: "Lu et al. 2022, arXiv 2206.00927, appendix C",
            ..Method::adaptive("dpm-adaptive", "DPM-Solver-12 and 23", dpm_adaptive::dpm_adaptive)
        },
    ]
}
