//! The sampler table: the one place that lists the methods.

use super::*;

/// The sampler table, in the order that the page shows.
pub fn methods<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            id: "ddpm",
            name: "DDPM",
            order: 1,
            evaluations: 1,
            stochastic: true,
            eta: None,
            comfyui: Some("ddpm"),
            k_diffusion: None,
            diffusers: Some("DDPMScheduler"),
            paper: "Ho et al. 2020, arXiv 2006.11239, algorithm 2",
            sample: ddpm::ddpm,
        },
        Method {
            id: "ddpm-large",
            name: "DDPM (large variance)",
            order: 1,
            evaluations: 1,
            stochastic: true,
            eta: None,
            comfyui: None,
            k_diffusion: None,
            diffusers: Some(r#"DDPMScheduler (variance_type="fixed_large")"#),
            paper: "Ho et al. 2020, arXiv 2006.11239, algorithm 2 with sigma_t^2 = beta_t",
            sample: ddpm::ddpm_large,
        },
        Method {
            id: "ddim",
            name: "DDIM",
            order: 1,
            evaluations: 1,
            stochastic: false,
            eta: Some(0.0),
            comfyui: Some("ddim"),
            k_diffusion: None,
            diffusers: Some("DDIMScheduler"),
            paper: "Song et al. 2021, arXiv 2010.02502, equations 12 and 16",
            sample: ddim::ddim,
        },
        Method {
            id: "euler",
            name: "Euler",
            order: 1,
            evaluations: 1,
            stochastic: false,
            eta: None,
            comfyui: Some("euler"),
            k_diffusion: Some("sample_euler"),
            diffusers: Some("EulerDiscreteScheduler"),
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 1 without its correction",
            sample: euler::euler,
        },
        Method {
            id: "euler-ancestral",
            name: "Euler ancestral",
            order: 1,
            evaluations: 1,
            stochastic: true,
            eta: Some(1.0),
            comfyui: Some("euler_ancestral"),
            k_diffusion: Some("sample_euler_ancestral"),
            diffusers: Some("EulerAncestralDiscreteScheduler"),
            paper: "Song et al. 2021, arXiv 2011.13456, appendix F",
            sample: euler_ancestral::euler_ancestral,
        },
        Method {
            id: "heun",
            name: "Heun",
            order: 2,
            evaluations: 2,
            stochastic: false,
            eta: None,
            comfyui: Some("heun"),
            k_diffusion: Some("sample_heun"),
            diffusers: Some("HeunDiscreteScheduler"),
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 1",
            sample: heun::heun,
        },
        Method {
            id: "dpmpp-2m",
            name: "DPM-Solver++(2M)",
            order: 2,
            evaluations: 1,
            stochastic: false,
            eta: None,
            comfyui: Some("dpmpp_2m"),
            k_diffusion: Some("sample_dpmpp_2m"),
            diffusers: Some("DPMSolverMultistepScheduler"),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
            sample: dpmpp_2m::dpmpp_2m,
        },
    ]
}

/// The row named `id`.
pub fn method<X: Latent + 'static>(id: &str) -> Option<Method<X>> {
    methods().into_iter().find(|m| m.id == id)
}
