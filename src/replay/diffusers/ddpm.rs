//! The schedulers that walk along the table of training timesteps.

use super::{Plan, Setup, Unknown};
use crate::math::{Level, NoiseSchedule};
use crate::replay::plan::chain;

/// `DDPMScheduler`: from each listed timestep to the next, in the end to clean data.
pub(super) fn ddpm(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let schedule = setup.keys.discrete()?;
    let times = setup.times(setup.keys.timesteps()?, 0, true)?;
    let sampler = match setup.keys.text("variance_type")?.unwrap_or("fixed_small") {
        // Should the last timestep not be 0, diffusers adds noise of 1e-10 to the finished point.
        "fixed_small" | "fixed_small_log" => "ddpm",
        "fixed_large" if times.last() == Some(&0.0) => "ddpm-large",
        "fixed_large" => return Err(Unknown("fixed_large noise on the finished point is not replayed".to_owned())),
        other => return Err(Unknown(format!("variance_type `{other}` is not replayed"))),
    };
    let levels: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    Ok(Plan {
        sampler,
        eta: None,
        prediction: setup.prediction,
        clip: setup.clip()?,
        start: 1.0,
        steps: chain(&levels, Level::CLEAN),
        forget: Vec::new(),
    })
}

/// `DDIMScheduler`: from each listed timestep down by the same number of timesteps, wherever the next one is.
pub(super) fn ddim(setup: &Setup<'_>) -> Result<Plan, Unknown> {
    let clip = setup.clip()?;
    if clip.is_some() && setup.calls.flag("use_clipped_model_output")? != Some(true) {
        return Err(Unknown("a clipped x_0 beside the noise of the unclipped one is not replayed".to_owned()));
    }
    let schedule = setup.keys.discrete()?;
    let total = setup.keys.timesteps()?;
    let whole = setup.keys.flag("set_alpha_to_one")?.unwrap_or(true);
    let end = if whole { Level::CLEAN } else { schedule.level(0.0) };
    let down = (total / setup.settings.steps()?) as f64;
    let to = |t: f64| if t < down { end } else { schedule.level(t - down) };
    Ok(Plan {
        sampler: "ddim",
        eta: setup.calls.number("eta")?,
        prediction: setup.prediction,
        clip,
        start: 1.0,
        steps: setup.times(total, 0, true)?.into_iter().map(|t| (schedule.level(t), to(t))).collect(),
        forget: Vec::new(),
    })
}
