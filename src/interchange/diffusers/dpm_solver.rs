//! The multistep DPM-Solver++.

use super::{Mapped, Setup, Unmapped, chain, last_ratio, ratio, stands};
use crate::math::{Flow, Level, NoiseSchedule, Schedule, linspace};

/// `DPMSolverMultistepScheduler`.
pub(super) fn dpm_solver(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let keys = &setup.keys;
    let (levels, end) = if setup.flag("use_flow_sigmas")? { flow(setup)? } else { variance_preserving(setup)? };
    let n = levels.len();
    let order = keys.count("solver_order")?.unwrap_or(2);
    let sampler = match (keys.text("algorithm_type")?.unwrap_or("dpmsolver++"), order) {
        ("dpmsolver++", 1 | 2) => "dpmpp-2m",
        ("sde-dpmsolver++", 1 | 2) => "dpmpp-2m-sde",
        // At order 1 the two are the same step.
        ("dpmsolver", 1) => "dpmpp-2m",
        (other, _) => return Err(Unmapped(format!("`{other}` of order {order} is not known here"))),
    };
    if sampler == "dpmpp-2m-sde" && levels.last().is_some_and(|last| stands((*last, end))) {
        // Its length is the rounding error of a ratio, and its noise the square root of that.
        return Err(Unmapped("the noise of a last step without length is not known here".to_owned()));
    }
    let lower_final = keys.flag("lower_order_final")? == Some(true) && n < 15;
    let last_of_one = lower_final || setup.flag("euler_at_final")?;
    let orders = (0..n).map(|i| if last_of_one && i + 1 == n { 1 } else { order });
    let schedule = match setup.flag("use_flow_sigmas")? {
        true => Schedule::Flow(Flow { t_max: keys.timesteps()? as f64 }),
        false => Schedule::Discrete(keys.discrete()?),
    };
    let orders = Some(orders.collect());
    let mapped = Mapped::new(sampler, schedule, chain(&levels, end), setup.prediction()?, 1.0)?;
    Ok(Mapped { orders, bound: setup.bound(true)?, ..mapped })
}

/// The variance-preserving levels of its ratios, and the one that they end at.
fn variance_preserving(setup: &Setup<'_>) -> Result<(Vec<Level>, Level), Unmapped> {
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
fn flow(setup: &Setup<'_>) -> Result<(Vec<Level>, Level), Unmapped> {
    if setup.keys.text("final_sigmas_type")?.is_some_and(|end| end != "zero") {
        return Err(Unmapped("a flow that does not end in clean data is not known here".to_owned()));
    }
    let total = setup.keys.timesteps()? as f64;
    let shift = setup.keys.number("flow_shift")?.unwrap_or(1.0);
    let level = |alpha: f64| {
        let sigma = shift * (1.0 - alpha) / (1.0 + (shift - 1.0) * (1.0 - alpha));
        Level { t: (sigma * total).trunc(), alpha: 1.0 - sigma, sigma }
    };
    // One more is spaced, which would be the clean end.
    let alphas = linspace(1.0, 1.0 / total, setup.count()? + 1).into_iter().skip(1);
    Ok((alphas.rev().map(level).collect(), Level::CLEAN))
}
