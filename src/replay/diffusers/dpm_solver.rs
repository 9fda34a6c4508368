//! The multistep DPM-Solver++.

use super::{Plan, Setup, Unknown, last_ratio, ratio};
use crate::math::{Level, NoiseSchedule, linspace};
use crate::replay::plan::{chain, same};

/// `DPMSolverMultistepScheduler`.
pub(super) fn dpm_solver(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let keys = &setup.keys;
    let (levels, end) = if setup.flag("use_flow_sigmas")? { flow(setup)? } else { variance_preserving(setup)? };
    let n = levels.len();
    let order = keys.count("solver_order")?.unwrap_or(2);
    let sampler = match (keys.text("algorithm_type")?.unwrap_or("dpmsolver++"), order) {
        ("dpmsolver++", 1 | 2) => "dpmpp-2m",
        ("sde-dpmsolver++", 1 | 2) => "dpmpp-2m-sde",
        // At order 1 the two are the same step.
        ("dpmsolver", 1) => "dpmpp-2m",
        (other, _) => return Err(Unknown(format!("`{other}` of order {order} is not replayed"))),
    };
    if sampler == "dpmpp-2m-sde" && levels.last().is_some_and(|last| same(*last, end)) {
        // Its length is the rounding error of a ratio, and its noise the square root of that.
        return Err(Unknown("the noise of a last step without length is not replayed".to_owned()));
    }
    let lower_final = keys.flag("lower_order_final")? == Some(true) && n < 15;
    let forget = match order {
        1 => (1..n).collect(),
        _ if lower_final || setup.flag("euler_at_final")? => vec![n - 1],
        _ => Vec::new(),
    };
    Ok(Plan {
        sampler,
        eta: None,
        prediction: setup.prediction,
        clip: None,
        start: 1.0,
        steps: chain(&levels, end),
        forget,
    })
}

/// The variance-preserving levels of its ratios, and the one that they end at.
fn variance_preserving(setup: &Setup<'_>) -> Result<(Vec<Level>, Level), Unknown> {
    let keys = &setup.keys;
    let schedule = keys.discrete()?;
    let (most, least) = (ratio(&schedule, schedule.t_max()), ratio(&schedule, 0.0));
    // Timesteps with less log-SNR than the clipping point are left out.
    let clipped = keys.number("lambda_min_clipped")?.unwrap_or(f64::NEG_INFINITY);
    let total = keys.timesteps()?;
    let last = (0..total).take_while(|t| -ratio(&schedule, *t as f64).ln() >= clipped).count();
    let mut times = setup.times(last, 1, true)?;
    let sigmas = match setup.respaced(most, least, times.len())? {
        None => times.iter().map(|t| ratio(&schedule, *t)).collect(),
        Some(sigmas) => {
            // Timesteps are whole numbers: rounded for some spacings of some schedules, and cut off otherwise.
            let rounded =
                !setup.flag("use_exponential_sigmas")? && keys.text("beta_schedule")? != Some("squaredcos_cap_v2");
            let whole = if rounded { f64::round_ties_even } else { f64::trunc };
            times = sigmas.iter().map(|sigma| whole(schedule.time_at(*sigma))).collect();
            sigmas
        }
    };
    let levels = times.iter().zip(&sigmas).map(|(t, s)| Level::variance_preserving(*t, *s)).collect();
    Ok((levels, Level::variance_preserving(0.0, last_ratio(setup, &schedule)?)))
}

/// The levels of a flow under `use_flow_sigmas`, and the one that they end at.
fn flow(setup: &Setup<'_>) -> Result<(Vec<Level>, Level), Unknown> {
    if setup.keys.text("final_sigmas_type")?.is_some_and(|end| end != "zero") {
        return Err(Unknown("a flow that does not end in clean data is not replayed".to_owned()));
    }
    let total = setup.keys.timesteps()? as f64;
    let shift = setup.keys.number("flow_shift")?.unwrap_or(1.0);
    let level = |alpha: f64| {
        let sigma = shift * (1.0 - alpha) / (1.0 + (shift - 1.0) * (1.0 - alpha));
        Level { t: (sigma * total).trunc(), alpha: 1.0 - sigma, sigma }
    };
    // One more is spaced, which would be the clean end.
    let alphas = linspace(1.0, 1.0 / total, setup.settings.steps()? + 1).into_iter().skip(1);
    Ok((alphas.rev().map(level).collect(), Level::CLEAN))
}
