//! The solvers that step in log-SNR.

use super::levels::{DEIS, DPM_SOLVER, HAIR, Manner, SA_SOLVER, SINGLESTEP, UNIPC, levels};
use super::{Class, Draws, FLOW, Mapped, RESPACED, SHIFTING, SOLVER, Setup, Unmapped, chain};
use crate::denoise::Prediction;
use crate::math::{Level, Schedule};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "DPMSolverMultistepScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true}),
        honoured: &[
            RESPACED,
            SOLVER,
            FLOW,
            SHIFTING,
            &[
                "algorithm_type",
                "euler_at_final",
                "use_lu_lambdas",
                "final_sigmas_type",
                "lambda_min_clipped",
                "variance_type",
            ],
        ],
        calls: &["timesteps", "mu"],
        map: dpm_solver,
    },
    Class {
        name: "DPMSolverSinglestepScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[
            RESPACED,
            SOLVER,
            FLOW,
            SHIFTING,
            &["algorithm_type", "final_sigmas_type", "lambda_min_clipped", "variance_type"],
        ],
        calls: &["timesteps", "mu"],
        map: singlestep,
    },
    Class {
        name: "DEISMultistepScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true}),
        honoured: &[RESPACED, SOLVER, FLOW, SHIFTING, &["algorithm_type"]],
        calls: &["mu"],
        map: deis,
    },
    Class {
        name: "UniPCMultistepScheduler",
        defaults: || {
            json!({"timestep_spacing": "linspace", "lower_order_final": true, "predict_x0": true,
                "disable_corrector": []})
        },
        honoured: &[
            RESPACED,
            SOLVER,
            FLOW,
            SHIFTING,
            &["predict_x0", "disable_corrector", "final_sigmas_type", "shift_terminal"],
        ],
        calls: &["sigmas", "mu"],
        map: unipc,
    },
    Class {
        name: "SASolverScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "lower_order_final": true}),
        honoured: &[
            RESPACED,
            FLOW,
            &["predictor_order", "corrector_order", "algorithm_type", "lower_order_final", "lambda_min_clipped"],
        ],
        calls: &[],
        map: sa_solver,
    },
];

fn dpm_solver(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let algorithm = setup.keys.text("algorithm_type")?.unwrap_or("dpmsolver++");
    let heun = setup.keys.text("solver_type")? == Some("heun");
    let sampler = match (algorithm, order, heun) {
        ("dpmsolver++", 1 | 2, false) => "dpmpp-2m",
        ("dpmsolver++", 1 | 2, true) => "dpmpp-2m-heun",
        ("dpmsolver++", 3, false) => "dpmpp-3m",
        ("dpmsolver++", 3, true) => "dpmpp-3m-heun",
        ("dpmsolver", 1..=3, false) => "dpm-solver",
        ("dpmsolver", 1..=3, true) => "dpm-solver-heun",
        ("sde-dpmsolver++", 1 | 2, false) => "dpmpp-2m-sde",
        ("sde-dpmsolver++", 1 | 2, true) => "dpmpp-2m-sde-heun",
        ("sde-dpmsolver++", 3, _) => "dpmpp-3m-sde-diffusers",
        ("sde-dpmsolver", 1 | 2, false) => "sde-dpm-solver",
        ("sde-dpmsolver", 1 | 2, true) => "sde-dpm-solver-heun",
        (other, ..) => return Err(Unmapped(format!("`{other}` of order {order} is not known here"))),
    };
    let mut mapped = walk(setup, sampler, &DPM_SOLVER)?;
    if matches!(algorithm, "dpmsolver" | "sde-dpmsolver") {
        mapped.turn("order", order as f64)?;
    }
    let lowers = setup.flag("lower_order_final")? && mapped.steps.len() < 15;
    let first = lowers || setup.flag("euler_at_final")? || setup.ends_clean()?;
    mapped.orders = Some(lowered(mapped.steps.len(), order, first, lowers));
    Ok(mapped)
}

/// One evaluation a step here too: the steps of a group start where the first of them did.
fn singlestep(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let algorithm = setup.keys.text("algorithm_type")?.unwrap_or("dpmsolver++");
    let sampler = match (algorithm, setup.keys.text("solver_type")? == Some("heun")) {
        ("dpmsolver++", false) => "dpmpp-singlestep",
        ("dpmsolver++", true) => "dpmpp-singlestep-heun",
        ("dpmsolver", false) => "dpm-solver-singlestep",
        ("dpmsolver", true) => "dpm-solver-singlestep-heun",
        ("sde-dpmsolver++", false) => "dpmpp-sde-singlestep",
        ("sde-dpmsolver++", true) if order < 3 => "dpmpp-sde-singlestep-heun",
        (other, _) => return Err(Unmapped(format!("`{other}` in single steps is not known here"))),
    };
    let mut mapped = walk(setup, sampler, &SINGLESTEP)?;
    mapped.turn("order", order as f64)?;
    let n = mapped.steps.len();
    let clean = setup.ends_clean()?;
    let groups = if setup.flag("lower_order_final")? || clean || !n.is_multiple_of(order) {
        grouped(n, order)
    } else {
        vec![order; n / order]
    };
    let mut orders: Vec<usize> = groups.into_iter().flat_map(|group| 1..=group).collect();
    if let Some(last) = orders.last_mut().filter(|_| clean) {
        *last = 1;
    }
    mapped.orders = Some(orders);
    Ok(mapped)
}

/// `n` evaluations in groups of `order`, the last two of which are smaller, so that the walk ends with few of them.
fn grouped(n: usize, order: usize) -> Vec<usize> {
    let mut groups = vec![order; (n - 1) / order];
    match n - order * groups.len() {
        rest if rest < order || order == 1 => groups.push(rest),
        rest => groups.extend([rest - 1, 1]),
    }
    groups
}

fn deis(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let mut mapped = walk(setup, "deis", &DEIS)?;
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    mapped.turn("order", order as f64)?;
    let lowers = setup.flag("lower_order_final")? && mapped.steps.len() < 15;
    mapped.orders = Some(lowered(mapped.steps.len(), order, lowers, lowers));
    Ok(mapped)
}

fn unipc(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let on_data = setup.flag("predict_x0")?;
    let sampler = match (on_data, setup.keys.text("solver_type")? == Some("bh1")) {
        (true, false) => "unipc-bh2",
        (true, true) => "unipc-bh1",
        (false, false) => "unipc-eps-bh2",
        (false, true) => "unipc-eps-bh1",
    };
    let order = setup.keys.count("solver_order")?.unwrap_or(2);
    let mut mapped = walk(setup, sampler, &UNIPC)?;
    mapped.turn("order", order as f64)?;
    let n = mapped.steps.len();
    let lowers = setup.flag("lower_order_final")?;
    let orders: Vec<usize> = (0..n).map(|i| if lowers { order.min(n - i) } else { order }).collect();
    let uncorrected = setup.keys.numbers("disable_corrector")?.unwrap_or_default();
    let corrected = |i: usize| !uncorrected.contains(&(i as f64));
    mapped.corrections = orders.iter().enumerate().map(|(i, order)| if corrected(i) { order + 1 } else { 0 }).collect();
    mapped.orders = Some(orders);
    mapped.bound = mapped.bound.filter(|_| on_data);
    Ok(mapped)
}

/// With the class's own `tau`, which is 1 from timestep 200 to 800 and 0 elsewhere.
fn sa_solver(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    const STOCHASTIC: std::ops::RangeInclusive<f64> = 200.0..=800.0;
    let order = setup.keys.count("predictor_order")?.unwrap_or(2);
    let corrector = setup.keys.count("corrector_order")?.unwrap_or(2);
    let sampler = if corrector > order { "sa-solver-plus" } else { "sa-solver" };
    if setup.keys.text("algorithm_type")?.is_some_and(|form| form != "data_prediction") {
        return Err(Unmapped("SA-Solver on estimates of the noise is not known here".to_owned()));
    }
    let mut mapped = walk(setup, sampler, &SA_SOLVER)?;
    // What a step of a hair's breadth draws is nothing.
    let draws = |(from, to): &(Level, Level)| STOCHASTIC.contains(&from.t) && to.nsr() < from.nsr() * HAIR * HAIR;
    let stochastic: Vec<bool> = mapped.steps.iter().map(draws).collect();
    let ratios = || mapped.steps.iter().zip(&stochastic).filter(|(_, is)| **is).map(|((from, _), _)| from.nsr());
    let window = [ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max)];
    mapped.turn("tau-min", window[0])?;
    mapped.turn("tau-max", window[1])?;
    if corrector <= order {
        mapped.turn("order", order as f64)?;
    }
    let n = mapped.steps.len();
    let lowers = setup.flag("lower_order_final")?;
    mapped.orders = Some((0..n).map(|i| if lowers { order.min(n - i) } else { order }).collect());
    // The corrector's own lowering comes a step after the predictor's.
    mapped.corrections = (0..n).map(|i| if lowers { corrector.min(n - i + 1) } else { corrector }).collect();
    mapped.draws = Draws::Listed(stochastic);
    Ok(mapped)
}

/// The orders of `n` steps: `order`, but in the last 1 where it `is_euler`, and in the one before at most 2 where it
/// `is_line`.
pub(super) fn lowered(n: usize, order: usize, is_euler: bool, is_line: bool) -> Vec<usize> {
    let at = |left| match left {
        1 if is_euler => 1,
        2 if is_line => order.min(2),
        _ => order,
    };
    (1..=n).rev().map(at).collect()
}

/// The walk of `sampler` through the levels.
fn walk(setup: &Setup<'_>, sampler: &'static str, manner: &Manner) -> Result<Mapped, Unmapped> {
    let (levels, end, schedule) = levels(setup, manner)?;
    let prediction = setup.prediction()?;
    if matches!((&schedule, prediction), (Schedule::Flow(_), Prediction::Velocity)) {
        // The classes turn `v` into `x_0` as if `alpha^2 + sigma^2` were 1.
        return Err(Unmapped("the levels of a flow for a network that predicts v are not known here".to_owned()));
    }
    let mapped = Mapped::new(sampler, schedule, chain(&levels, end), prediction, 1.0)?;
    Ok(Mapped { bound: setup.bound(true)?, ..mapped })
}
