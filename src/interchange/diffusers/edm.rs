//! The schedulers of EDM (Karras et al. 2022, arXiv 2206.00364). Their networks are preconditioned, so that what they say
//! of `x_0` does not depend on what they predict.

use super::solvers::lowered;
use super::{Class, Mapped, SOLVER, Setup, Unmapped, chain};
use crate::denoise::Prediction;
use crate::interchange::follow::stands;
use crate::math::spacing::{exponential, karras};
use crate::math::{Level, Schedule, Ve};
use serde_json::json;

/// Arguments of EDM's noise levels.
const EDM: &[&str] = &["sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "rho", "final_sigmas_type"];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "EDMEulerScheduler",
        defaults: || json!({}),
        honoured: &[EDM],
        calls: &["s_churn", "s_tmin", "s_tmax", "s_noise"],
        map: euler,
    },
    Class {
        name: "EDMDPMSolverMultistepScheduler",
        defaults: || json!({}),
        honoured: &[EDM, SOLVER, &["algorithm_type", "euler_at_final"]],
        calls: &[],
        map: dpm_solver,
    },
];

/// The levels, from noisy to clean, and the one that they end at.
fn levels(setup: &Setup<'_>) -> Result<(Vec<Level>, Level), Unmapped> {
    let keys = &setup.keys;
    let number = |key, otherwise| keys.number(key).map(|v| v.unwrap_or(otherwise));
    let (least, most) = (number("sigma_min", 0.002)?, number("sigma_max", 80.0)?);
    let n = setup.count()?;
    let sigmas = match keys.text("sigma_schedule")?.unwrap_or("karras") {
        "karras" => karras(most, least, number("rho", 7.0)?, n),
        "exponential" => exponential(most, least, n),
        other => return Err(Unmapped(format!("sigma_schedule `{other}` is not known here"))),
    };
    let levels: Vec<Level> = sigmas.iter().map(|s| Level::variance_exploding(0.25 * s.ln(), *s)).collect();
    let end = match keys.text("final_sigmas_type")?.unwrap_or("zero") {
        "zero" => Level::CLEAN,
        "sigma_min" => levels[n - 1],
        other => return Err(Unmapped(format!("final_sigmas_type `{other}` is not known here"))),
    };
    Ok((levels, end))
}

/// The trajectory of `sampler` through them.
fn trajectory(setup: &Setup<'_>, sampler: &'static str) -> Result<Mapped, Unmapped> {
    let (levels, end) = levels(setup)?;
    let start = setup.keys.number("sigma_max")?.unwrap_or(80.0).hypot(1.0);
    Mapped::new(sampler, Schedule::Ve(Ve::default()), chain(&levels, end), Prediction::Sample, start)
}

/// `EDMEulerScheduler`.
pub(super) fn euler(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let churn = setup.calls.number("s_churn")?.unwrap_or(0.0);
    if churn == 0.0 {
        return trajectory(setup, "euler");
    }
    if setup.keys.number("sigma_data")?.is_some_and(|data| data != 0.5) {
        return Err(Unmapped("churn is known here for data of standard deviation 0.5".to_owned()));
    }
    let mut mapped = trajectory(setup, "euler-edm-churn-late")?;
    if mapped.steps.iter().any(|step| stands(*step)) {
        return Err(Unmapped("churn in a step without length is not known here".to_owned()));
    }
    mapped.turn("churn", churn)?;
    mapped.turn("churn-min", setup.calls.number("s_tmin")?.unwrap_or(0.0))?;
    mapped.turn("churn-max", setup.calls.number("s_tmax")?.unwrap_or(f64::INFINITY))?;
    mapped.turn("noise-scale", setup.calls.number("s_noise")?.unwrap_or(1.0))?;
    Ok(mapped)
}

/// `EDMDPMSolverMultistepScheduler`.
pub(super) fn dpm_solver(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let keys = &setup.keys;
    let order = keys.count("solver_order")?.unwrap_or(2);
    let algorithm = keys.text("algorithm_type")?.unwrap_or("dpmsolver++");
    let solver = keys.text("solver_type")?.unwrap_or("midpoint");
    let sampler = match (algorithm, solver, order) {
        ("dpmsolver++", "midpoint", 1 | 2) => "dpmpp-2m",
        ("dpmsolver++", "heun", 1 | 2) => "dpmpp-2m-heun",
        ("dpmsolver++", "midpoint", 3) => "dpmpp-3m",
        ("dpmsolver++", "heun", 3) => "dpmpp-3m-heun",
        ("sde-dpmsolver++", "midpoint", 1 | 2) => "dpmpp-2m-sde",
        ("sde-dpmsolver++", "heun", 1 | 2) => "dpmpp-2m-sde-heun",
        _ => return Err(Unmapped(format!("`{algorithm}` of type `{solver}` and order {order} is not known here"))),
    };
    let mut mapped = trajectory(setup, sampler)?;
    let n = mapped.steps.len();
    let few = keys.flag("lower_order_final")?.unwrap_or(true) && n < 15;
    let ends_low = few || setup.flag("euler_at_final")? || mapped.steps[n - 1].1.sigma == 0.0;
    mapped.orders = Some(lowered(n, order, ends_low, few));
    mapped.bound = setup.bound(true)?;
    Ok(mapped)
}
