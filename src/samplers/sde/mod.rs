//! Solvers of the reverse SDE.

mod dpmpp_2m_sde;

use super::table::Method;
use super::{Knob, Tuning};
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![Method {
        order: 2,
        stochastic: true,
        knobs: &[Knob::Eta, Knob::NoiseScale],
        tuning: Tuning { eta: 1.0, ..Tuning::DEFAULT },
        comfyui: Some("dpmpp_2m_sde"),
        k_diffusion: Some("sample_dpmpp_2m_sde"),
        diffusers: Some(r#"DPMSolverMultistepScheduler (algorithm_type="sde-dpmsolver++")"#),
        paper: "Lu et al. 2022, arXiv 2211.01095, SDE-DPM-Solver++(2M)",
        ..Method::new("dpmpp-2m-sde", "SDE-DPM-Solver++(2M)", dpmpp_2m_sde::dpmpp_2m_sde)
    }]
}
