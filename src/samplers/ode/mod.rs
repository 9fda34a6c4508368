//! One-step methods on the probability-flow ODE: Euler, Heun and other Runge-Kutta pairs.

mod euler;
mod heun;

use super::table::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            comfyui: Some("euler"),
            k_diffusion: Some("sample_euler"),
            diffusers: Some("EulerDiscreteScheduler"),
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 1 without its correction",
            ..Method::new("euler", "Euler", euler::euler)
        },
        Method {
            order: 2,
            evaluations: 2,
            comfyui: Some("heun"),
            k_diffusion: Some("sample_heun"),
            diffusers: Some("HeunDiscreteScheduler"),
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 1",
            ..Method::new("heun", "Heun", heun::heun)
        },
    ]
}
