//! Methods on the probability-flow ODE that remember earlier estimates: one evaluation a step.

mod dpmpp_2m;

use super::Tuning;
use super::table::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![Method {
        order: 2,
        tuning: Tuning { order: 2, ..Tuning::DEFAULT },
        comfyui: Some("dpmpp_2m"),
        k_diffusion: Some("sample_dpmpp_2m"),
        diffusers: Some("DPMSolverMultistepScheduler"),
        paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
        ..Method::new("dpmpp-2m", "DPM-Solver++(2M)", dpmpp_2m::dpmpp_2m)
    }]
}
