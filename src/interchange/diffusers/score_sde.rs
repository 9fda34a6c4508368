//! The schedulers of score-SDE (Song et al. 2021, arXiv 2011.13456).

use super::{Class, LastNoise, Mapped, Setup, Unmapped, chain};
use crate::denoise::Prediction;
use crate::math::spacing::exponential;
use crate::math::{ContinuousVp, Level, NoiseSchedule, Schedule, linspace};
use serde_json::json;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "ScoreSdeVeScheduler",
        defaults: || json!({}),
        honoured: &[&["sigma_min", "sigma_max", "snr", "correct_steps", "sampling_eps"]],
        calls: &[],
        map: variance_exploding,
    },
    Class {
        name: "ScoreSdeVpScheduler",
        defaults: || json!({}),
        honoured: &[&["beta_min", "beta_max", "sampling_eps"]],
        calls: &[],
        map: variance_preserving,
    },
];

/// `ScoreSdeVeScheduler`: corrector and predictor on noise levels that fall by the same factor. The network is shown
/// those at times in equal steps from 1 to `sampling_eps`, which differ a little.
pub(super) fn variance_exploding(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let keys = &setup.keys;
    let number = |key, otherwise| keys.number(key).map(|v| v.unwrap_or(otherwise));
    let process = keys.variance_exploding()?;
    let n = setup.count()?;
    let times = linspace(1.0, number("sampling_eps", 1e-5)?, n);
    let sigmas = exponential(process.sigma_max, process.sigma_min, n);
    let levels: Vec<Level> = times.iter().zip(sigmas).map(|(t, s)| Level::variance_exploding(*t, s)).collect();
    let shown = times.iter().map(|t| process.level(*t)).collect();
    let (start, schedule) = (process.sigma_max, Schedule::Ve(process));
    let steps = chain(&levels, Level::CLEAN);
    let mut mapped = Mapped::new("predictor-corrector", schedule, steps, Prediction::Score, start)?;
    mapped.turn("snr", number("snr", 0.15)?)?;
    mapped.turn("langevin-steps", keys.count("correct_steps")?.unwrap_or(1) as f64)?;
    mapped.shown = Some(shown);
    // Its step adds the predictor's noise to the finished point too, and says beside it what that was without, which is what
    // its pipeline shows.
    let last = mapped.steps[n - 1].0.sigma;
    mapped.last_noise = Some(LastNoise { small: last, large: last, in_picture: false });
    Ok(mapped)
}

/// `ScoreSdeVpScheduler`: Euler and Maruyama's steps of length `1 / n`, though its times are `1 / (n - 1)` apart.
pub(super) fn variance_preserving(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let number = |key, otherwise| setup.keys.number(key).map(|v| v.unwrap_or(otherwise));
    let process = ContinuousVp { beta_min: number("beta_min", 0.1)?, beta_max: number("beta_max", 20.0)? };
    let (n, least) = (setup.count()?, number("sampling_eps", 1e-3)?);
    let back = 1.0 / n as f64;
    // The last step leads beyond time 0. Its method reads the length of a step, and of its end only that there is noise.
    let end = |t: f64| Level { t: t - back, ..process.level((t - back).max(0.5 * least)) };
    let steps = linspace(1.0, least, n).into_iter().map(|t| (process.level(t), end(t))).collect();
    Mapped::new("euler-maruyama", Schedule::ContinuousVp(process), steps, Prediction::Epsilon, 1.0)
}
