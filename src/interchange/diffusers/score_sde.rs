//! The schedulers of score-SDE (Song et al. 2021, arXiv 2011.13456).

use super::{Mapped, Setup, Unmapped, chain};
use crate::denoise::Prediction;
use crate::math::spacing::exponential;
use crate::math::{Level, NoiseSchedule, Schedule, Ve, linspace};

/// `ScoreSdeVeScheduler`: corrector and predictor on noise levels that fall by the same factor. The network is shown
/// those at times in equal steps from 1 to `sampling_eps`, which differ a little.
pub(super) fn variance_exploding(setup: &Setup<'_>) -> Result<Mapped, Unmapped> {
    let keys = &setup.keys;
    let number = |key, otherwise| keys.number(key).map(|v| v.unwrap_or(otherwise));
    let process = Ve { sigma_min: number("sigma_min", 0.01)?, sigma_max: number("sigma_max", 1348.0)? };
    let n = setup.count()?;
    let times = linspace(1.0, number("sampling_eps", 1e-5)?, n);
    let sigmas = exponential(process.sigma_max, process.sigma_min, n);
    let levels: Vec<Level> = times.iter().zip(sigmas).map(|(t, s)| Level::variance_exploding(*t, s)).collect();
    let shown = times.iter().map(|t| process.level(*t)).collect();
    let (start, schedule) = (process.sigma_max, Schedule::Ve(process));
    let steps = chain(&levels, Level::CLEAN);
    let mut mapped = Mapped::new("predictor-corrector", schedule, steps, Prediction::Score, start)?;
    mapped.tuning.snr = number("snr", 0.15)?;
    mapped.tuning.inner = keys.count("correct_steps")?.unwrap_or(1);
    mapped.shown = Some(shown);
    Ok(mapped)
}
