//! The schedulers of networks that were distilled to give pictures in a few steps.

use super::{Bound, Class, Mapped, Setup, Unmapped, chain, no_steps};
use crate::denoise::{Clip, Prediction};
use crate::math::{Level, NoiseSchedule, Schedule, Ve};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "LCMScheduler",
        defaults: || {
            json!({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
                "original_inference_steps": 50, "timestep_scaling": 10.0})
        },
        honoured: &[&["original_inference_steps", "clip_sample", "set_alpha_to_one"]],
        calls: &["timesteps", "original_inference_steps", "strength"],
        map: lcm,
    },
    Class {
        name: "TCDScheduler",
        defaults: || {
            json!({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
                "original_inference_steps": 50})
        },
        // The class has the arguments of LCMScheduler, but reads no other of them.
        honoured: &[&["original_inference_steps", "clip_sample", "set_alpha_to_one", "timestep_scaling"]],
        calls: &["timesteps", "original_inference_steps", "strength", "eta"],
        map: tcd,
    },
    Class {
        name: "CMStochasticIterativeScheduler",
        defaults: || json!({"num_train_timesteps": 40}),
        honoured: &[&["sigma_min", "sigma_max", "sigma_data", "rho", "s_noise", "clip_denoised"]],
        calls: &["timesteps"],
        map: consistency,
    },
];

/// The timesteps that a network was distilled at, and of them `n` in equal steps of the list from the noisiest on.
fn distilled(setup: &Setup<'_>, original: Option<usize>) -> Result<Vec<f64>, Unmapped> {
    if let Some(times) = setup.calls.numbers("timesteps")? {
        return if times.is_empty() { Err(no_steps()) } else { Ok(times) };
    }
    let total = setup.keys.timesteps()?;
    let strength = setup.calls.number("strength")?.unwrap_or(1.0);
    let steps = original.unwrap_or(total);
    let count = (steps as f64 * strength) as usize;
    if count > total {
        return Err(Unmapped(format!("{count} original steps are more than the {total} timesteps of training")));
    }
    let apart = total / steps.max(1);
    let origin: Vec<f64> = match original {
        Some(_) => (1..=count).map(|i| (i * apart) as f64 - 1.0).collect(),
        None => (0..count).map(|i| i as f64).collect(),
    };
    let n = setup.count()?;
    if n > origin.len() {
        return Err(Unmapped(format!("{n} steps cannot be chosen out of {}", origin.len())));
    }
    let apart = origin.len() as f64 / n as f64;
    Ok((0..n).map(|i| origin[origin.len() - 1 - (i as f64 * apart) as usize]).collect())
}

/// `LCMScheduler`.
pub(super) fn lcm(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    let given = setup.calls.count("original_inference_steps")?;
    let times = distilled(setup, given.or(setup.keys.count("original_inference_steps")?))?;
    let levels: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    let steps = chain(&levels, Level::CLEAN);
    let mapped = Mapped::new("lcm-boundary", Schedule::Discrete(schedule), steps, setup.prediction()?, 1.0)?;
    Ok(Mapped { bound: setup.bound(true)?, ..mapped })
}

/// `TCDScheduler`, which ends at timestep 0.
pub(super) fn tcd(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let schedule = setup.keys.discrete()?;
    // Where the call names a number of timesteps, whatever it is, the list is of all timesteps.
    let all = setup.calls.count("original_inference_steps")?.is_some();
    let times = distilled(setup, setup.keys.count("original_inference_steps")?.filter(|_| !all))?;
    let levels: Vec<Level> = times.iter().map(|t| schedule.level(*t)).collect();
    let steps = chain(&levels, schedule.level(0.0));
    let mut mapped = Mapped::new("tcd", Schedule::Discrete(schedule), steps, setup.prediction()?, 1.0)?;
    if let Some(gamma) = setup.calls.number("eta")? {
        mapped.turn("gamma", gamma)?;
    }
    Ok(mapped)
}

/// `CMStochasticIterativeScheduler`: levels out of those of training, which are spaced as Karras et al. do.
pub(super) fn consistency(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let keys = &setup.keys;
    let total = keys.timesteps()?;
    let (least, most) = (keys.number("sigma_min")?.unwrap_or(0.002), keys.number("sigma_max")?.unwrap_or(80.0));
    let rho = keys.number("rho")?.unwrap_or(7.0);
    let places = match setup.calls.numbers("timesteps")? {
        // It reads the list as places from the noisiest level, and so from its end.
        Some(listed) => listed.into_iter().rev().collect(),
        None => {
            let n = setup.count()?;
            (0..n).map(|i| (i * (total / n)) as f64).collect::<Vec<_>>()
        }
    };
    let (low, high) = (least.powf(1.0 / rho), most.powf(1.0 / rho));
    let sigma = |place: f64| (high + place / (total as f64 - 1.0) * (low - high)).powf(rho);
    let level = |sigma: f64| Level::variance_exploding(250.0 * sigma.ln(), sigma);
    let levels: Vec<Level> = places.into_iter().map(|place| level(sigma(place))).collect();
    let schedule = Schedule::Ve(Ve { sigma_min: least, sigma_max: most });
    // Its network is preconditioned, so that what it says of x_0 does not depend on what it predicts.
    let mut mapped = Mapped::new("consistency", schedule, chain(&levels, level(least)), Prediction::Sample, most)?;
    mapped.turn("noise-scale", keys.number("s_noise")?.unwrap_or(1.0))?;
    let clip = keys.flag("clip_denoised")?.unwrap_or(true);
    mapped.bound = clip.then_some(Bound { clip: Clip::Range { low: -1.0, high: 1.0 }, use_clipped_model_output: true });
    Ok(mapped)
}
