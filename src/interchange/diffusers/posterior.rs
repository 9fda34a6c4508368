//! The schedulers that step along the table of training timesteps.

use super::{Class, INVERSE, LastNoise, Mapped, Setup, Unmapped, chain, no_steps};
use crate::denoise::Prediction;
use crate::math::{Discrete, Flow, Level, NoiseSchedule, Schedule, linspace};
use serde_json::json;
use std::f64::consts::FRAC_PI_2;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "DDPMScheduler",
        defaults: || json!({"clip_sample": true}),
        honoured: &[&["clip_sample", "variance_type"]],
        calls: &["timesteps"],
        map: ddpm,
    },
    Class {
        name: "DDIMScheduler",
        defaults: || json!({"clip_sample": true, "set_alpha_to_one": true}),
        honoured: &[&["clip_sample", "set_alpha_to_one"]],
        calls: &["eta", "use_clipped_model_output"],
        map: ddim,
    },
    Class {
        name: "DDIMInverseScheduler",
        defaults: || json!({"clip_sample": true, "set_alpha_to_one": true}),
        honoured: &[&["clip_sample", "set_alpha_to_one"]],
        calls: &[],
        map: ddim_inverse,
    },
    Class {
        name: "PNDMScheduler",
        defaults: || json!({}),
        honoured: &[&["skip_prk_steps", "set_alpha_to_one"]],
        calls: &[],
        map: pndm,
    },
    Class { name: "IPNDMScheduler", defaults: || json!({}), honoured: &[], calls: &[], map: ipndm },
];

/// `DDPMScheduler`: from each listed timestep to the next, in the end to clean data.
pub(super) fn ddpm(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    let times = setup.times(setup.keys.timesteps()?, 0, true)?;
    // The least standard deviation that the class knows.
    const LEAST: f64 = 1e-10;
    let last = schedule.level(times[times.len() - 1]);
    let (sampler, small, large) = match setup.keys.text("variance_type")?.unwrap_or("fixed_small") {
        "fixed_small" | "fixed_small_log" => ("ddpm", LEAST, LEAST),
        "fixed_large" => ("ddpm-large", last.sigma, last.sigma),
        "learned_range" => ("ddpm-learned", LEAST, last.sigma),
        other => return Err(Unmapped(format!("variance_type `{other}` is not known here"))),
    };
    let levels: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    Ok(Mapped {
        bound: setup.bound(true)?,
        // The library leaves out the noise of timestep 0, not that of the last step.
        last_noise: (last.t > 0.0).then_some(LastNoise { small, large, in_picture: true }),
        ..Mapped::new(sampler, Schedule::Discrete(schedule), chain(&levels, Level::CLEAN), setup.prediction()?, 1.0)?
    })
}

/// The steps from each listed timestep down by the same number of timesteps, wherever the next one is. `whole` is whether
/// the class ends in clean data unless it is set, or at timestep 0.
fn jumps(setup: &Setup<'_>, whole: bool) -> Result<(Discrete, Vec<(Level, Level)>), Unmapped> {
    let schedule = setup.keys.discrete()?;
    let total = setup.keys.timesteps()?;
    let whole = setup.keys.flag("set_alpha_to_one")?.unwrap_or(whole);
    let end = if whole { Level::CLEAN } else { schedule.level(0.0) };
    let down = (total / setup.count()?) as f64;
    let to = |t: f64| if t < down { end } else { schedule.level(t - down) };
    let steps = setup.times(total, 0, true)?.into_iter().map(|t| (schedule.level(t), to(t))).collect();
    Ok((schedule, steps))
}

/// `DDIMScheduler`.
pub(super) fn ddim(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let (schedule, steps) = jumps(setup, true)?;
    let mut mapped = Mapped::new("ddim", Schedule::Discrete(schedule), steps, setup.prediction()?, 1.0)?;
    mapped.turn("eta", setup.calls.number("eta")?.unwrap_or(0.0))?;
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
    // What a step begins at carries the conditioning time.
    let steps = shown.iter().map(|to| (Level { t: to.t, ..from(to.t) }, *to)).collect();
    let mut mapped = Mapped::new(INVERSE, Schedule::Discrete(schedule), steps, setup.prediction()?, 1.0)?;
    mapped.bound = setup.bound(false)?;
    mapped.shown = Some(shown);
    Ok(mapped)
}

/// `PNDMScheduler`: the steps of DDIM, the first of them of a Runge-Kutta method or of Heun's kind.
pub(super) fn pndm(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let prediction = setup.prediction()?;
    let sampler = match (setup.flag("skip_prk_steps")?, prediction) {
        (true, Prediction::Velocity) => "pndm-velocity",
        (true, _) => "pndm",
        (false, Prediction::Velocity) => "pndm-prk-velocity",
        (false, _) => "pndm-prk",
    };
    let (schedule, steps) = jumps(setup, false)?;
    let orders = Some(vec![4; steps.len()]);
    Ok(Mapped { orders, ..Mapped::new(sampler, Schedule::Discrete(schedule), steps, prediction, 1.0)? })
}

/// `IPNDMScheduler`, whose process is `sigma = sin^2(pi s / 2)` in equal steps of `s`, and whose network predicts `v`.
pub(super) fn ipndm(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let level = |s: f64| {
        let sigma = (s * FRAC_PI_2).sin().powi(2);
        let alpha = (1.0 - sigma * sigma).sqrt();
        Level { t: sigma.atan2(alpha) / FRAC_PI_2, alpha, sigma }
    };
    let levels: Vec<Level> = linspace(1.0, 0.0, setup.count()? + 1).into_iter().map(level).collect();
    let (end, levels) = levels.split_last().ok_or_else(no_steps)?;
    let steps = chain(levels, *end);
    let orders = Some(vec![4; steps.len()]);
    // Its time is the angle of (alpha, sigma), and no method here evaluates between two levels.
    let schedule = Schedule::Flow(Flow::default());
    Ok(Mapped { orders, ..Mapped::new("ipndm", schedule, steps, Prediction::Velocity, 1.0)? })
}
