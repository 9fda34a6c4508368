//! The schedulers that step in the noise-to-signal ratio, k-diffusion's "sigma".

use super::{Class, Mapped, RESPACED, Setup, Unmapped, chain, no_steps};
use crate::denoise::Prediction;
use crate::math::spacing::exponential;
use crate::math::{Discrete, Level, NoiseSchedule, Schedule, Ve};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "EulerDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[RESPACED, &["sigma_min", "sigma_max", "final_sigmas_type", "interpolation_type", "timestep_type"]],
        calls: &["timesteps", "sigmas", "s_churn", "s_tmin", "s_tmax", "s_noise"],
        map: euler,
    },
    Class {
        name: "EulerAncestralDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[],
        calls: &[],
        map: |setup| walk(setup, "euler-ancestral"),
    },
    Class {
        name: "HeunDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012}),
        honoured: &[RESPACED, &["clip_sample"]],
        calls: &["timesteps"],
        map: |setup| walk(setup, "heun"),
    },
    Class {
        name: "KDPM2DiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012}),
        honoured: &[RESPACED],
        calls: &[],
        map: |setup| Ok(rounded(setup, walk(setup, "dpm2")?)),
    },
    Class {
        name: "KDPM2AncestralDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012}),
        honoured: &[RESPACED],
        calls: &[],
        map: |setup| Ok(rounded(setup, walk(setup, "dpm2-ancestral")?)),
    },
    Class {
        name: "LMSDiscreteScheduler",
        defaults: || json!({"timestep_spacing": "linspace"}),
        honoured: &[RESPACED],
        calls: &["order"],
        map: lms,
    },
    Class {
        name: "DPMSolverSDEScheduler",
        defaults: || json!({"timestep_spacing": "linspace", "beta_start": 0.00085, "beta_end": 0.012}),
        honoured: &[RESPACED, &["noise_sampler_seed"]],
        calls: &["s_noise"],
        map: |setup| noise_scaled(setup, walk(setup, "dpmpp-sde")?),
    },
];

fn euler(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let churn = setup.calls.number("s_churn")?.unwrap_or(0.0);
    if churn <= 0.0 {
        return walk(setup, "euler");
    }
    let sampler = match setup.prediction()? {
        Prediction::Epsilon => "euler-churn-late",
        Prediction::Velocity => "euler-velocity-churn-late",
        _ => return Err(Unmapped("churn is known here for networks that predict the noise or v".to_owned())),
    };
    let mut mapped = noise_scaled(setup, walk(setup, sampler)?)?;
    mapped.turn("churn", churn)?;
    mapped.turn("churn-min", setup.calls.number("s_tmin")?.unwrap_or(0.0))?;
    mapped.turn("churn-max", setup.calls.number("s_tmax")?.unwrap_or(f64::INFINITY))?;
    Ok(mapped)
}

/// Every step has the order that `step` is told, or as much of it as there were steps before.
fn lms(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let mut mapped = walk(setup, "lms")?;
    let order = setup.calls.count("order")?.unwrap_or(4);
    mapped.turn("order", order as f64)?;
    mapped.orders = Some(vec![order; mapped.steps.len()]);
    Ok(mapped)
}

/// With the factor on its noise that `step` is told.
fn noise_scaled(setup: &Setup<'_>, mut mapped: Mapped) -> Result<Mapped, Unmapped> {
    mapped.turn("noise-scale", setup.calls.number("s_noise")?.unwrap_or(1.0))?;
    Ok(mapped)
}

/// With the whole timesteps that some classes round those of Karras' ratios to.
fn rounded(setup: &Setup<'_>, mut mapped: Mapped) -> Mapped {
    if setup.flag("use_karras_sigmas") == Ok(true) {
        mapped.steps.iter_mut().for_each(|(from, _)| from.t = from.t.round_ties_even());
    }
    mapped
}

/// The walk of `sampler` through the ratios.
fn walk(setup: &Setup<'_>, sampler: &'static str) -> Result<Mapped, Unmapped> {
    let (mut times, sigmas) = spaced(setup, &setup.table()?)?;
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

/// The timesteps, and the ratios with the one that they end at.
fn spaced(setup: &Setup<'_>, schedule: &Discrete) -> Result<(Vec<f64>, Vec<f64>), Unmapped> {
    let keys = &setup.keys;
    let ratio = |t: f64| schedule.level(t).nsr();
    if let Some(sigmas) = setup.calls.numbers("sigmas")? {
        let (_, visited) = sigmas.split_last().ok_or_else(no_steps)?;
        return Ok((visited.iter().map(|sigma| schedule.time_at(*sigma)).collect(), sigmas));
    }
    let mut times = setup.times(keys.timesteps()?, 0, false)?;
    let mut sigmas: Vec<f64> = match keys.text("interpolation_type")?.unwrap_or("linear") {
        "linear" => times.iter().map(|t| ratio(*t)).collect(),
        // One more than there are timesteps, so that the walk ends with it.
        "log_linear" => exponential(ratio(schedule.t_max()), ratio(0.0), times.len() + 1),
        other => return Err(Unmapped(format!("interpolation_type `{other}` is not known here"))),
    };
    let most = keys.number("sigma_max")?.unwrap_or(sigmas[0]);
    let least = keys.number("sigma_min")?.unwrap_or(sigmas[sigmas.len() - 1]);
    if let Some(respaced) = setup.respaced(most, least, times.len())? {
        times = respaced.iter().map(|sigma| schedule.time_at(*sigma)).collect();
        sigmas = respaced;
    }
    sigmas.push(if setup.ends_clean()? { 0.0 } else { ratio(0.0) });
    Ok((times, sigmas))
}
