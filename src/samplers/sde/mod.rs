//! Solvers of the reverse SDE.

pub mod dpmpp_2m_sde;
pub mod dpmpp_3m_sde;
pub mod dpmpp_sde;
pub mod er_sde;
pub mod euler_maruyama;
pub mod flow_sde;
mod linear;
pub mod sa_solver;
pub mod sde_dpm_solver;
pub mod seeds;

pub use dpmpp_2m_sde::{dpmpp_2m_sde, dpmpp_2m_sde_heun};
pub use dpmpp_3m_sde::{dpmpp_3m_sde, dpmpp_3m_sde_diffusers};
pub use dpmpp_sde::dpmpp_sde;
pub use er_sde::er_sde;
pub use euler_maruyama::euler_maruyama;
pub use flow_sde::flow_sde;
pub use sa_solver::{sa_solver, sa_solver_plus};
pub use sde_dpm_solver::{sde_dpm_solver, sde_dpm_solver_heun};
pub use seeds::{seeds_2, seeds_3};

use super::{Knob, Method, Sampler, steps};
use crate::math::Latent;

/// How much of the reverse SDE's noise is in it: 0 is the probability flow, 1 the reverse SDE.
pub const ETA: Knob = steps::ETA;

/// A factor on the standard deviation of the fresh noise, of methods with [`ETA`].
pub const ETA_SCALE: Knob = steps::NOISE_SCALE.needs(&ETA);

/// A factor on the standard deviation of the fresh noise, of methods that always draw it.
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE;

/// A solver of the reverse SDE that takes between none of its noise (`eta` 0, the probability flow) and all of it.
fn solver<X>(id: &'static str, name: &'static str, sampler: Sampler<X>) -> Method<X> {
    Method { stochastic: true, noise: Some(ETA), knobs: &[ETA, ETA_SCALE], ..Method::new(id, name, sampler) }
}

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            evaluations: 2,
            knobs: &[ETA, dpmpp_sde::R, ETA_SCALE],
            comfyui: Some("dpmpp_sde"),
            k_diffusion: Some("sample_dpmpp_sde"),
            diffusers: Some("DPMSolverSDEScheduler"),
            paper: "Lu et al. 2022, arXiv 2211.01095, section 5 and algorithm 1",
            ..solver("dpmpp-sde", "SDE-DPM-Solver++(2S)", dpmpp_sde::dpmpp_sde)
        },
        Method {
            order: 2,
            comfyui: Some("dpmpp_2m_sde"),
            k_diffusion: Some("sample_dpmpp_2m_sde"),
            diffusers: Some(r#"DPMSolverMultistepScheduler (algorithm_type="sde-dpmsolver++")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, section 5, SDE-DPM-Solver++(2M)",
            ..solver("dpmpp-2m-sde", "SDE-DPM-Solver++(2M)", dpmpp_2m_sde::dpmpp_2m_sde)
        },
        Method {
            order: 2,
            comfyui: Some("dpmpp_2m_sde_heun"),
            k_diffusion: Some(r#"sample_dpmpp_2m_sde (solver_type="heun")"#),
            diffusers: Some(r#"DPMSolverMultistepScheduler ("sde-dpmsolver++", solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, section 5, with the exact integral of the line",
            ..solver("dpmpp-2m-sde-heun", "SDE-DPM-Solver++(2M), Heun type", dpmpp_2m_sde::dpmpp_2m_sde_heun)
        },
        Method {
            order: 2,
            comfyui: Some("dpmpp_3m_sde"),
            k_diffusion: Some("sample_dpmpp_3m_sde"),
            paper: "after Lu et al. 2022, arXiv 2211.01095, section 5, with three estimates",
            ..solver("dpmpp-3m-sde", "SDE-DPM-Solver++(3M)", dpmpp_3m_sde::dpmpp_3m_sde)
        },
        Method {
            compat: true,
            diffusers: Some(r#"DPMSolverMultistepScheduler ("sde-dpmsolver++", solver_order=3)"#),
            paper: "as dpmpp-3m-sde, with one sign turned",
            stochastic: true,
            knobs: &[NOISE_SCALE],
            ..Method::new(
                "dpmpp-3m-sde-diffusers",
                "SDE-DPM-Solver++(3M) of diffusers",
                dpmpp_3m_sde::dpmpp_3m_sde_diffusers,
            )
        },
        Method {
            stochastic: true,
            knobs: &[sde_dpm_solver::ORDER, NOISE_SCALE],
            diffusers: Some(r#"DPMSolverMultistepScheduler (algorithm_type="sde-dpmsolver")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, section 5, SDE-DPM-Solver-2M",
            ..Method::new("sde-dpm-solver", "SDE-DPM-Solver", sde_dpm_solver::sde_dpm_solver)
        },
        Method {
            stochastic: true,
            knobs: &[sde_dpm_solver::ORDER, NOISE_SCALE],
            diffusers: Some(r#"DPMSolverMultistepScheduler ("sde-dpmsolver", solver_type="heun")"#),
            paper: "Lu et al. 2022, arXiv 2211.01095, section 5, with the exact integral of the line",
            ..Method::new("sde-dpm-solver-heun", "SDE-DPM-Solver, Heun type", sde_dpm_solver::sde_dpm_solver_heun)
        },
        Method {
            order: 2,
            evaluations: 2,
            comfyui: Some("seeds_2"),
            paper: "Gonzalez et al. 2023, arXiv 2305.14267, SEEDS-2",
            ..solver("seeds-2", "SEEDS-2", seeds::seeds_2)
        },
        Method {
            order: 2,
            evaluations: 3,
            comfyui: Some("seeds_3"),
            paper: "Gonzalez et al. 2023, arXiv 2305.14267, SEEDS-3",
            ..solver("seeds-3", "SEEDS-3", seeds::seeds_3)
        },
        Method {
            stochastic: true,
            knobs: &[er_sde::ORDER, NOISE_SCALE],
            comfyui: Some("er_sde"),
            paper: "Cui et al. 2023, arXiv 2309.06169, algorithms 1 to 3",
            ..Method::new("er-sde", "ER-SDE-Solver", er_sde::er_sde)
        },
        Method {
            noise: Some(sa_solver::TAU),
            knobs: &[sa_solver::TAU, sa_solver::ORDER, sa_solver::TAU_MIN, sa_solver::TAU_MAX, sa_solver::NOISE_SCALE],
            diffusers: Some("SASolverScheduler"),
            paper: "Xue et al. 2023, arXiv 2309.05019, algorithm 1",
            ..solver("sa-solver", "SA-Solver", sa_solver::sa_solver)
        },
        Method {
            order: 2,
            noise: Some(sa_solver::TAU),
            knobs: &[sa_solver::TAU, sa_solver::TAU_MIN, sa_solver::TAU_MAX, sa_solver::NOISE_SCALE],
            comfyui: Some("sa_solver"),
            diffusers: Some("SASolverScheduler (predictor_order=3, corrector_order=4)"),
            paper: "Xue et al. 2023, arXiv 2309.05019, algorithm 1",
            ..solver("sa-solver-plus", "SA-Solver 3/4", sa_solver::sa_solver_plus)
        },
        Method {
            stochastic: true,
            knobs: &[NOISE_SCALE],
            diffusers: Some("ScoreSdeVpScheduler"),
            paper: "Song et al. 2021, arXiv 2011.13456, equation 6 and appendix D",
            ..Method::new("euler-maruyama", "Euler-Maruyama", euler_maruyama::euler_maruyama)
        },
        Method {
            paper: "Ma et al. 2024, arXiv 2401.08740, equation 5 with w = sigma",
            ..solver("flow-sde", "SiT (flow SDE)", flow_sde::flow_sde)
        },
    ]
}
