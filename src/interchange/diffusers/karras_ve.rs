//! The scheduler of `KarrasVePipeline` (Karras et al. 2022, arXiv 2206.00364, algorithm 2).

use super::{Class, Draws, Mapped, Setup, Unmapped, chain};
use crate::denoise::Prediction;
use crate::math::spacing::exponential;
use crate::math::{Level, Schedule, Ve};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[Class {
    name: "KarrasVeScheduler",
    defaults: || json!({}),
    honoured: &[&["sigma_min", "sigma_max", "s_noise", "s_churn", "s_min", "s_max"]],
    calls: &[],
    map: karras_ve,
}];

/// Heun's method with churn, on levels between the squares of the two numbers that are called the least and the most noise.
pub(super) fn karras_ve(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let number = |key, otherwise| setup.keys.number(key).map(|v| v.unwrap_or(otherwise));
    let (least, most) = (number("sigma_min", 0.02)?, number("sigma_max", 100.0)?);
    let (n, window) = (setup.count()?, [number("s_min", 0.05)?, number("s_max", 50.0)?]);
    let churn = number("s_churn", 80.0)?;
    if n < 2 {
        return Err(Unmapped("KarrasVeScheduler takes two steps or more".to_owned()));
    }
    let process = Ve { sigma_min: least * least, sigma_max: most * most };
    let sigmas = exponential(process.sigma_max, process.sigma_min, n);
    let levels: Vec<Level> = sigmas.iter().map(|sigma| Level::variance_exploding(*sigma, *sigma)).collect();
    // Its estimate of x_0 is what its pipeline makes of the network.
    let steps = chain(&levels, Level::CLEAN);
    let mut mapped = Mapped::new("heun", Schedule::Ve(process), steps, Prediction::Sample, most)?;
    mapped.turn("churn", churn)?;
    mapped.turn("churn-min", window[0])?;
    mapped.turn("churn-max", window[1])?;
    mapped.turn("noise-scale", number("s_noise", 1.007)?)?;
    // It draws in every step, and uses it where it churns.
    let used = |sigma: &f64| churn > 0.0 && (window[0]..=window[1]).contains(sigma);
    mapped.draws = Draws::Listed(sigmas.iter().map(used).collect());
    Ok(mapped)
}
