//! Methods that step on the posterior `q(x_s | x_t, x_0)`: DDPM, DDIM and their kin.

mod ddim;
mod ddim_inverse;
mod ddpm;
mod euler_ancestral;
mod second_order;

pub use ddim_inverse::ddim_inverse;

use super::table::Method;
use super::{Knob, Tuning};
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            stochastic: true,
            comfyui: Some("ddpm"),
            diffusers: Some("DDPMScheduler"),
            paper: "Ho et al. 2020, arXiv 2006.11239, algorithm 2",
            ..Method::new("ddpm", "DDPM", ddpm::ddpm)
        },
        Method {
            stochastic: true,
            diffusers: Some(r#"DDPMScheduler (variance_type="fixed_large")"#),
            paper: "Ho et al. 2020, arXiv 2006.11239, algorithm 2 with sigma_t^2 = beta_t",
            ..Method::new("ddpm-large", "DDPM (large variance)", ddpm::ddpm_large)
        },
        Method {
            stochastic: true,
            diffusers: Some(r#"DDPMScheduler (variance_type="learned_range")"#),
            paper: "Nichol & Dhariwal 2021, arXiv 2102.09672, equation 15",
            ..Method::new("ddpm-learned", "DDPM (learned variance)", ddpm::ddpm_learned)
        },
        Method {
            cfg_pp: true,
            knobs: &[Knob::Eta],
            comfyui: Some("ddim"),
            diffusers: Some("DDIMScheduler"),
            paper: "Song et al. 2021, arXiv 2010.02502, equations 12 and 16",
            ..Method::new("ddim", "DDIM", ddim::ddim)
        },
        Method {
            stochastic: true,
            cfg_pp: true,
            knobs: &[Knob::Eta, Knob::NoiseScale],
            tuning: Tuning { eta: 1.0, ..Tuning::DEFAULT },
            comfyui: Some("euler_ancestral"),
            k_diffusion: Some("sample_euler_ancestral"),
            diffusers: Some("EulerAncestralDiscreteScheduler"),
            paper: "Song et al. 2021, arXiv 2011.13456, appendix F",
            ..Method::new("euler-ancestral", "Euler ancestral", euler_ancestral::euler_ancestral)
        },
        Method {
            order: 2,
            evaluations: 2,
            stochastic: true,
            knobs: &[Knob::Eta, Knob::NoiseScale],
            tuning: Tuning { eta: 1.0, ..Tuning::DEFAULT },
            comfyui: Some("dpm_2_ancestral"),
            k_diffusion: Some("sample_dpm_2_ancestral"),
            diffusers: Some("KDPM2AncestralDiscreteScheduler"),
            paper: "Lu et al. 2022, arXiv 2206.00927, algorithm 1; Song et al. 2021, arXiv 2011.13456, appendix F",
            ..Method::new("dpm2-ancestral", "DPM2 ancestral", second_order::dpm2_ancestral)
        },
        Method {
            order: 2,
            evaluations: 2,
            stochastic: true,
            knobs: &[Knob::Eta, Knob::NoiseScale],
            tuning: Tuning { eta: 1.0, ..Tuning::DEFAULT },
            comfyui: Some("dpmpp_2s_ancestral"),
            k_diffusion: Some("sample_dpmpp_2s_ancestral"),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 1; Song et al. 2021, arXiv 2011.13456, appendix F",
            ..Method::new("dpmpp-2s-ancestral", "DPM-Solver++(2S) ancestral", second_order::dpmpp_2s_ancestral)
        },
    ]
}
