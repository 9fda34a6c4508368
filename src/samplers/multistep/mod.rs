//! Methods on the probability-flow ODE that remember earlier estimates: one evaluation a step.

pub mod deis;
pub mod dpm_solver;
pub mod dpmpp_2m;
pub mod dpmpp_3m;
pub mod ipndm;
mod linear;
pub mod lms;
pub mod pndm;
pub mod unipc;

pub use deis::deis;
pub use dpm_solver::{dpm_solver, dpm_solver_heun};
pub use dpmpp_2m::{dpmpp_2m, dpmpp_2m_heun};
pub use dpmpp_3m::{dpmpp_3m, dpmpp_3m_heun};
pub use ipndm::ipndm;
pub use lms::lms;
pub use pndm::{pndm, pndm_prk, pndm_prk_velocity, pndm_velocity};
pub use unipc::{unipc_bh1, unipc_bh2, unipc_eps_bh1, unipc_eps_bh2};

use super::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            order: 2,
            comfyui: Some("dpmpp_2m"),
            k_diffusion: Some("sample_dpmpp_2m"),
            diffusers: Some("DPMSolverMultistepScheduler"),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
            ..Method::new("dpmpp-2m", "DPM-Solver++(2M)", dpmpp_2m::dpmpp_2m)
        },
        Method {
            order: 2,
            aliases: &["res-multistep"],
            comfyui: Some("res_multistep"),
            diffusers: Some(r#"DPMSolverMultistepScheduler (solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 2 with its line integrated; Zhang et al. 2023, arXiv 2308.02157",
            ..Method::new("dpmpp-2m-heun", "DPM-Solver++(2M) Heun", dpmpp_2m::dpmpp_2m_heun)
        },
        Method {
            order: 2,
            diffusers: Some("DPMSolverMultistepScheduler (solver_order=3)"),
            paper: "Lu et al. 2022, arXiv 2211.01095, with three estimates as in the authors' code",
            ..Method::new("dpmpp-3m", "DPM-Solver++(3M)", dpmpp_3m::dpmpp_3m)
        },
        Method {
            order: 2,
            diffusers: Some(r#"DPMSolverMultistepScheduler (solver_order=3, solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, with three estimates as in the authors' code",
            ..Method::new("dpmpp-3m-heun", "DPM-Solver++(3M) Heun", dpmpp_3m::dpmpp_3m_heun)
        },
        Method {
            convergence: &[1, 2, 2],
            knobs: &[dpm_solver::ORDER],
            diffusers: Some(r#"DPMSolverMultistepScheduler (algorithm_type="dpmsolver")"#),
            paper: "Lu et al. 2022, arXiv 2206.00927, equation 3.6",
            ..Method::new("dpm-solver", "DPM-Solver", dpm_solver::dpm_solver)
        },
        Method {
            convergence: &[1, 2, 2],
            knobs: &[dpm_solver::ORDER],
            diffusers: Some(r#"DPMSolverMultistepScheduler (algorithm_type="dpmsolver", solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2206.00927, equation 3.6",
            ..Method::new("dpm-solver-heun", "DPM-Solver Heun", dpm_solver::dpm_solver_heun)
        },
        Method {
            knobs: &[deis::ORDER],
            comfyui: Some("deis"),
            diffusers: Some("DEISMultistepScheduler"),
            paper: "Zhang & Chen 2023, arXiv 2204.13902, equations 14 and 15",
            ..Method::new("deis", "DEIS", deis::deis)
        },
        Method {
            convergence: &[2, 3, 4, 5],
            knobs: &[unipc::ORDER],
            comfyui: Some("uni_pc_bh2"),
            diffusers: Some("UniPCMultistepScheduler"),
            paper: "Zhao et al. 2023, arXiv 2302.04867, algorithms 1 and 2 on data with B(h) = e^h - 1",
            ..Method::new("unipc-bh2", "UniPC", unipc::unipc_bh2)
        },
        Method {
            convergence: &[2, 3, 4, 5],
            knobs: &[unipc::ORDER],
            comfyui: Some("uni_pc"),
            diffusers: Some(r#"UniPCMultistepScheduler (solver_type="bh1")"#),
            paper: "Zhao et al. 2023, arXiv 2302.04867, algorithms 1 and 2 on data with B(h) = h",
            ..Method::new("unipc-bh1", "UniPC (B1)", unipc::unipc_bh1)
        },
        Method {
            convergence: &[2, 3, 4, 5],
            knobs: &[unipc::ORDER],
            diffusers: Some("UniPCMultistepScheduler (predict_x0=False)"),
            paper: "Zhao et al. 2023, arXiv 2302.04867, algorithms 1 and 2 with B(h) = e^h - 1",
            ..Method::new("unipc-eps-bh2", "UniPC on noise", unipc::unipc_eps_bh2)
        },
        Method {
            convergence: &[2, 3, 4, 5],
            knobs: &[unipc::ORDER],
            diffusers: Some(r#"UniPCMultistepScheduler (predict_x0=False, solver_type="bh1")"#),
            paper: "Zhao et al. 2023, arXiv 2302.04867, algorithms 1 and 2 with B(h) = h",
            ..Method::new("unipc-eps-bh1", "UniPC on noise (B1)", unipc::unipc_eps_bh1)
        },
        Method {
            knobs: &[lms::ORDER],
            comfyui: Some("lms"),
            k_diffusion: Some("sample_lms"),
            diffusers: Some("LMSDiscreteScheduler"),
            paper: "Bashforth & Adams 1883 on k-diffusion's slope (Crowson 2022)",
            ..Method::new("lms", "Linear multistep", lms::lms)
        },
        Method {
            convergence: &[1, 2, 2, 2],
            knobs: &[ipndm::ORDER],
            comfyui: Some("ipndm"),
            diffusers: Some("IPNDMScheduler"),
            paper: "Zhang & Chen 2023, arXiv 2204.13902, iPNDM",
            ..Method::new("ipndm", "iPNDM", ipndm::ipndm)
        },
        Method {
            order: 2,
            diffusers: Some("PNDMScheduler (skip_prk_steps=True)"),
            paper: "Liu et al. 2022, arXiv 2202.09778, algorithm 2 with a first step of Heun's kind",
            ..Method::new("pndm", "PNDM", pndm::pndm)
        },
        Method {
            order: 2,
            diffusers: Some("PNDMScheduler"),
            paper: "Liu et al. 2022, arXiv 2202.09778, algorithm 2",
            ..Method::new("pndm-prk", "PNDM with a Runge-Kutta start", pndm::pndm_prk)
        },
        Method {
            compat: true,
            diffusers: Some(r#"PNDMScheduler (skip_prk_steps=True, prediction_type="v_prediction")"#),
            paper: "Liu et al. 2022, arXiv 2202.09778, algorithm 1 on the velocity",
            ..Method::new("pndm-velocity", "PNDM on velocity", pndm::pndm_velocity)
        },
        Method {
            compat: true,
            diffusers: Some(r#"PNDMScheduler (prediction_type="v_prediction")"#),
            paper: "Liu et al. 2022, arXiv 2202.09778, algorithm 2 on the velocity",
            ..Method::new("pndm-prk-velocity", "PNDM on velocity with a Runge-Kutta start", pndm::pndm_prk_velocity)
        },
    ]
}
