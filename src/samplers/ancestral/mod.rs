//! Methods that step on the posterior `q(x_s | x_t, x_0)`: DDPM, DDIM and their kin.

pub mod ddim;
pub mod ddim_inverse;
pub mod ddpm;
pub mod euler_ancestral;
pub mod second_order;

pub use ddim::ddim;
pub use ddim_inverse::ddim_inverse;
pub use ddpm::{ddpm, ddpm_large, ddpm_learned};
pub use euler_ancestral::euler_ancestral;
pub use second_order::{dpm2_ancestral, dpmpp_2s_ancestral};

use super::Method;
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
            noise: Some(ddim::ETA),
            knobs: &[ddim::ETA],
            comfyui: Some("ddim"),
            diffusers: Some("DDIMScheduler"),
            paper: "Song et al. 2021, arXiv 2010.02502, equations 12 and 16",
            ..Method::new("ddim", "DDIM", ddim::ddim)
        },
        Method {
            stochastic: true,
            cfg_pp: true,
            noise: Some(euler_ancestral::ETA),
            knobs: &[euler_ancestral::ETA, euler_ancestral::NOISE_SCALE],
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
            noise: Some(second_order::ETA),
            knobs: &[second_order::ETA, second_order::NOISE_SCALE],
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
            noise: Some(second_order::ETA),
            knobs: &[second_order::ETA, second_order::NOISE_SCALE],
            comfyui: Some("dpmpp_2s_ancestral"),
            k_diffusion: Some("sample_dpmpp_2s_ancestral"),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 1; Song et al. 2021, arXiv 2011.13456, appendix F",
            ..Method::new("dpmpp-2s-ancestral", "DPM-Solver++(2S) ancestral", second_order::dpmpp_2s_ancestral)
        },
    ]
}
