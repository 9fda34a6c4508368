//! Methods that take several of the grid's steps for one, and forget it when it is done.

pub mod dpm_solver;
mod groups;

pub use dpm_solver::{
    dpm_solver_singlestep, dpm_solver_singlestep_heun, dpmpp_sde_singlestep, dpmpp_sde_singlestep_heun,
    dpmpp_singlestep, dpmpp_singlestep_heun,
};

use super::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            knobs: &[dpm_solver::ORDER],
            diffusers: Some("DPMSolverSinglestepScheduler"),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 1",
            ..Method::new("dpmpp-singlestep", "DPM-Solver++ singlestep", dpm_solver::dpmpp_singlestep)
        },
        Method {
            knobs: &[dpm_solver::ORDER],
            diffusers: Some(r#"DPMSolverSinglestepScheduler (solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 1 with its polynomial integrated",
            ..Method::new("dpmpp-singlestep-heun", "DPM-Solver++ singlestep Heun", dpm_solver::dpmpp_singlestep_heun)
        },
        Method {
            knobs: &[dpm_solver::ORDER],
            diffusers: Some(r#"DPMSolverSinglestepScheduler (algorithm_type="dpmsolver")"#),
            paper: "Lu et al. 2022, arXiv 2206.00927, algorithms 1 and 2",
            ..Method::new("dpm-solver-singlestep", "DPM-Solver singlestep", dpm_solver::dpm_solver_singlestep)
        },
        Method {
            knobs: &[dpm_solver::ORDER],
            diffusers: Some(r#"DPMSolverSinglestepScheduler (algorithm_type="dpmsolver", solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2206.00927, algorithms 1 and 2 with their polynomial integrated",
            ..Method::new(
                "dpm-solver-singlestep-heun",
                "DPM-Solver singlestep Heun",
                dpm_solver::dpm_solver_singlestep_heun,
            )
        },
        Method {
            convergence: &[1, 1, 1],
            stochastic: true,
            knobs: &[dpm_solver::ORDER, dpm_solver::NOISE_SCALE],
            diffusers: Some(r#"DPMSolverSinglestepScheduler (algorithm_type="sde-dpmsolver++")"#),
            paper: "after Lu et al. 2022, arXiv 2211.01095, section 5 and algorithm 1",
            ..Method::new("dpmpp-sde-singlestep", "SDE-DPM-Solver++ singlestep", dpm_solver::dpmpp_sde_singlestep)
        },
        Method {
            convergence: &[1, 1, 1],
            stochastic: true,
            knobs: &[dpm_solver::ORDER, dpm_solver::NOISE_SCALE],
            diffusers: Some(r#"DPMSolverSinglestepScheduler ("sde-dpmsolver++", solver_type="heun")"#),
            paper: "after Lu et al. 2022, arXiv 2211.01095, section 5 and algorithm 1 with its polynomial integrated",
            ..Method::new(
                "dpmpp-sde-singlestep-heun",
                "SDE-DPM-Solver++ singlestep Heun",
                dpm_solver::dpmpp_sde_singlestep_heun,
            )
        },
    ]
}
