//! The schedulers that walk along the table of training timesteps.

use super::{INVERSE, Mapped, Setup, Unmapped, chain};
use crate::math::{Level, NoiseSchedule, Schedule};

/// `DDPMScheduler`: from each listed timestep to the next, in the end to clean data.
pub(super) fn ddpm(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    let times = setup.times(setup.keys.timesteps()?, 0, true)?;
    let sampler = match setup.keys.text("variance_type")?.unwrap_or("fixed_small") {
        // Should the last timestep not be 0, diffusers adds noise of 1e-10 to the finished point.
        "fixed_small" | "fixed_small_log" => "ddpm",
        "fixed_large" => "ddpm-large",
        other => return Err(Unmapped(format!("variance_type `{other}` is not known here"))),
    };
    let last = schedule.level(times[times.len() - 1]);
    let levels: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    Ok(Mapped {
        bound: setup.bound(true)?,
        // The library leaves out the noise of timestep 0, not that of the last step.
        last_noise: if sampler == "ddpm-large" && last.t > 0.0 { last.sigma } else { 0.0 },
        ..Mapped::new(sampler, Schedule::Discrete(schedule), chain(&levels, Level::CLEAN), setup.prediction()?, 1.0)?
    })
}

/// `DDIMScheduler`: from each listed timestep down by the same number of timesteps, wherever the next one is.
pub(super) fn ddim(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    let total = setup.keys.timesteps()?;
    let whole = setup.keys.flag("set_alpha_to_one")?.unwrap_or(true);
    let end = if whole { Level::CLEAN } else { schedule.level(0.0) };
    let down = (total / setup.count()?) as f64;
    let to = |t: f64| if t < down { end } else { schedule.level(t - down) };
    let steps = setup.times(total, 0, true)?.into_iter().map(|t| (schedule.level(t), to(t))).collect();
    let mut mapped = Mapped::new("ddim", Schedule::Discrete(schedule), steps, setup.prediction()?, 1.0)?;
    mapped.tuning.eta = setup.calls.number("eta")?.unwrap_or(0.0);
    mapped.bound = setup.bound(setup.calls.flag("use_clipped_model_output")? == Some(true))?;
    Ok(mapped)
}

/// `DDIMInverseScheduler`: DDIM's steps upwards, each to a listed timestep. The network is shown the level that the
/// step leads to.
pub(super) fn ddim_inverse(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    let total = setup.keys.timesteps()?;
    let whole = setup.keys.flag("set_alpha_to_one")?.unwrap_or(true);
    let begin = if whole { Level::CLEAN } else { schedule.level(0.0) };
    let up = (total / setup.count()?) as f64;
    let mut times = setup.times(total, 0, true)?;
    times.reverse();
    let from = |t: f64| if t < up { begin } else { schedule.level(t - up) };
    let shown: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    // What a step begins at bears the time that the network is told.
    let steps = shown.iter().map(|to| (Level { t: to.t, ..from(to.t) }, *to)).collect();
    let mut mapped = Mapped::new(INVERSE, Schedule::Discrete(schedule), steps, setup.prediction()?, 1.0)?;
    mapped.bound = setup.bound(false)?;
    mapped.shown = Some(shown);
    Ok(mapped)
}
