//! One-step methods on the probability-flow ODE: Euler, Heun and other Runge-Kutta pairs.

pub mod euler;
pub mod flow_heun;
pub mod heun;

pub use euler::{euler, euler_churn_late, euler_edm_churn_late, euler_velocity_churn_late};
pub use flow_heun::{flow_heun, flow_heun_churn_late};
pub use heun::{dpm2, heun, midpoint, ralston};

pub use super::steps::{CHURN, CHURN_MAX, CHURN_MIN, CHURN_SCALE};
use super::{Knob, Method};
use crate::math::Latent;

/// What turns Karras et al.'s deterministic sampler into their stochastic one.
const KNOBS: &[Knob] = &[CHURN, CHURN_MIN, CHURN_MAX, CHURN_SCALE];

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            cfg_pp: true,
            noise: Some(CHURN),
            knobs: KNOBS,
            comfyui: Some("euler"),
            k_diffusion: Some("sample_euler"),
            diffusers: Some("EulerDiscreteScheduler"),
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 2 without its correction",
            ..Method::new("euler", "Euler", euler::euler)
        },
        Method {
            compat: true,
            noise: Some(CHURN),
            knobs: KNOBS,
            diffusers: Some("EulerDiscreteScheduler (s_churn > 0)"),
            paper: "after Karras et al. 2022, arXiv 2206.00364, algorithm 2, with the model asked before the churn",
            ..Method::new("euler-churn-late", "Euler (late churn)", euler::euler_churn_late)
        },
        Method {
            compat: true,
            noise: Some(CHURN),
            knobs: KNOBS,
            diffusers: Some(r#"EulerDiscreteScheduler (s_churn > 0, prediction_type="v_prediction")"#),
            paper: "after Karras et al. 2022, arXiv 2206.00364, algorithm 2, with `v` read at the level before the churn",
            ..Method::new("euler-velocity-churn-late", "Euler (late churn, v)", euler::euler_velocity_churn_late)
        },
        Method {
            compat: true,
            noise: Some(CHURN),
            knobs: KNOBS,
            diffusers: Some("EDMEulerScheduler (s_churn > 0)"),
            paper: "Karras et al. 2022, arXiv 2206.00364, equation 7, as diffusers churns it",
            ..Method::new("euler-edm-churn-late", "Euler (late churn, EDM)", euler::euler_edm_churn_late)
        },
        Method {
            order: 2,
            evaluations: 2,
            noise: Some(CHURN),
            knobs: KNOBS,
            comfyui: Some("heun"),
            k_diffusion: Some("sample_heun"),
            diffusers: Some("HeunDiscreteScheduler"),
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 2",
            ..Method::new("heun", "Heun", heun::heun)
        },
        Method {
            order: 2,
            evaluations: 2,
            noise: Some(CHURN),
            knobs: KNOBS,
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 3 with alpha = 1/2",
            ..Method::new("midpoint", "Midpoint", heun::midpoint)
        },
        Method {
            order: 2,
            evaluations: 2,
            noise: Some(CHURN),
            knobs: KNOBS,
            paper: "Karras et al. 2022, arXiv 2206.00364, algorithm 3 with alpha = 2/3 (Ralston 1962)",
            ..Method::new("ralston", "Ralston", heun::ralston)
        },
        Method {
            order: 2,
            evaluations: 2,
            noise: Some(CHURN),
            knobs: KNOBS,
            comfyui: Some("dpm_2"),
            k_diffusion: Some("sample_dpm_2"),
            diffusers: Some("KDPM2DiscreteScheduler"),
            paper: "Lu et al. 2022, arXiv 2206.00927, algorithm 1; Karras et al. 2022, arXiv 2206.00364, algorithm 2",
            ..Method::new("dpm2", "DPM2", heun::dpm2)
        },
        Method {
            order: 2,
            evaluations: 2,
            diffusers: Some("FlowMatchHeunDiscreteScheduler"),
            paper: "Liu et al. 2022, arXiv 2209.03003, section 2.1, by Heun's method",
            ..Method::new("flow-heun", "Heun in flow time", flow_heun::flow_heun)
        },
        Method {
            compat: true,
            order: 2,
            evaluations: 2,
            noise: Some(CHURN),
            knobs: KNOBS,
            diffusers: Some("FlowMatchHeunDiscreteScheduler (s_churn > 0)"),
            paper: "after Liu et al. 2022, arXiv 2209.03003, section 2.1, by Heun's method with churn",
            ..Method::new("flow-heun-churn-late", "Heun in flow time (late churn)", flow_heun::flow_heun_churn_late)
        },
    ]
}
