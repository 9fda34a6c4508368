//! The schedulers that take steps of Euler's kind, in noise-to-signal coordinates or along a flow.

use super::{Mapped, Setup, Unmapped, chain, last_ratio, no_steps, ratio};
use crate::denoise::Prediction;
use crate::math::spacing::exponential;
use crate::math::{Discrete, Flow, Level, NoiseSchedule, Schedule, Ve, linspace};

/// The timesteps of the Euler family, and its ratios with the one that they end at.
fn spaced(setup: &Setup<'_>, schedule: &Discrete) -> Result<(Vec<f64>, Vec<f64>), Unmapped> {
    let keys = &setup.keys;
    if let Some(sigmas) = setup.calls.numbers("sigmas")? {
        let (_, visited) = sigmas.split_last().ok_or_else(no_steps)?;
        return Ok((visited.iter().map(|sigma| schedule.time_at(*sigma)).collect(), sigmas));
    }
    let mut times = setup.times(keys.timesteps()?, 0, false)?;
    let mut sigmas: Vec<f64> = match keys.text("interpolation_type")?.unwrap_or("linear") {
        "linear" => times.iter().map(|t| ratio(schedule, *t)).collect(),
        // One more than there are timesteps, so that the walk ends with it.
        "log_linear" => exponential(ratio(schedule, schedule.t_max()), ratio(schedule, 0.0), times.len() + 1),
        other => return Err(Unmapped(format!("interpolation_type `{other}` is not known here"))),
    };
    let most = keys.number("sigma_max")?.unwrap_or(sigmas[0]);
    let least = keys.number("sigma_min")?.unwrap_or(sigmas[sigmas.len() - 1]);
    if let Some(respaced) = setup.respaced(most, least, times.len())? {
        times = respaced.iter().map(|sigma| schedule.time_at(*sigma)).collect();
        sigmas = respaced;
    }
    sigmas.push(last_ratio(setup, schedule)?);
    Ok((times, sigmas))
}

/// The Euler, Euler ancestral and Heun schedulers, which work in noise-to-signal coordinates.
pub(super) fn ratios(setup: &Setup<'_>, sampler: &'static str) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    let (mut times, sigmas) = spaced(setup, &schedule)?;
    let prediction = setup.prediction()?;
    if setup.keys.text("timestep_type")? == Some("continuous") && prediction == Prediction::Velocity {
        times = sigmas[..times.len()].iter().map(|sigma| 0.25 * sigma.ln()).collect();
    }
    let levels: Vec<Level> = times.iter().zip(&sigmas).map(|(t, s)| Level::variance_exploding(*t, *s)).collect();
    let largest = sigmas.iter().copied().fold(0.0, f64::max);
    let leading = setup.keys.text("timestep_spacing")? == Some("leading");
    let start = if leading { largest.hypot(1.0) } else { largest };
    let steps = chain(&levels, Level::variance_exploding(0.0, sigmas[times.len()]));
    let mapped = Mapped::new(sampler, Schedule::Ve(Ve::default()), steps, prediction, start)?;
    Ok(Mapped { bound: setup.bound(true)?, ..mapped })
}

/// `FlowMatchEulerDiscreteScheduler`.
pub(super) fn flow(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let total = setup.keys.timesteps()? as f64;
    let shift = setup.keys.number("shift")?.unwrap_or(1.0);
    let shifted = |s: f64| shift * s / (1.0 + (shift - 1.0) * s);
    // The ends of the line are shifted before the line is, so its low end is shifted twice.
    let sigmas = match setup.calls.numbers("sigmas")? {
        Some(sigmas) => sigmas,
        None => linspace(shifted(1.0), shifted(1.0 / total), setup.count()?),
    };
    let level = |sigma: f64| Level { t: sigma * total, alpha: 1.0 - sigma, sigma };
    let levels: Vec<Level> = sigmas.into_iter().map(|sigma| level(shifted(sigma))).collect();
    let schedule = Schedule::Flow(Flow { t_max: total });
    Mapped::new("euler", schedule, chain(&levels, Level::CLEAN), Prediction::Flow, 1.0)
}
