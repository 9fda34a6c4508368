//! Spacings that choose times, noisiest first.
//!
//! ComfyUI's count the training timesteps `0..T`. A continuous process has `T = 1000` of them here, as ComfyUI has for
//! its flows: the times from `t_min` to `t_max` in equal steps.

use super::beta_quantile;
use crate::math::{Level, NoiseSchedule, downwards, linspace as evenly};

/// Training timesteps that a continuous process is read as having.
const TIMESTEPS: usize = 1000;

/// The level at time `t`. Between two whole timesteps the logarithm of the noise-to-signal ratio is linear in `t` (as in
/// k-diffusion's and ComfyUI's `sigma(t)`), and its inverse where the later one is pure noise.
pub fn level(schedule: &impl NoiseSchedule, t: f64) -> Level {
    let part = t.fract();
    if schedule.timesteps().is_none() || part == 0.0 {
        return schedule.level(t);
    }
    let (low, high) = (schedule.level(t.floor()).nsr(), schedule.level(t.ceil()).nsr());
    let between = if high.is_finite() { low * (high / low).powf(part) } else { low / (1.0 - part) };
    schedule.level_at(between)
}

/// The training timesteps, if `n` of them can all differ.
fn whole(schedule: &impl NoiseSchedule, n: usize) -> Option<usize> {
    schedule.timesteps().filter(|total| n <= *total)
}

/// How many timesteps there are, whole or as a continuous process is read.
fn total(schedule: &impl NoiseSchedule) -> usize {
    schedule.timesteps().unwrap_or(TIMESTEPS)
}

/// The times of these places among the timesteps `0..total`.
fn at_places(schedule: &impl NoiseSchedule, places: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let last = (total(schedule) - 1) as f64;
    let time = |u: f64| schedule.t_min() * (1.0 - u) + schedule.t_max() * u;
    let whole = schedule.timesteps().is_some();
    places.into_iter().map(|place| if whole { place } else { time(place / last) }).collect()
}

/// Whole `places` among the timesteps `0..total`, each that another already has moved to the next lower one that is
/// free, or up again where there are none left below. At most `total` of them.
fn distinct(mut places: Vec<f64>) -> Vec<f64> {
    for i in 1..places.len() {
        places[i] = places[i].min(places[i - 1] - 1.0);
    }
    let count = places.len();
    places.into_iter().enumerate().map(|(i, place)| place.max((count - 1 - i) as f64)).collect()
}

pub fn linspace(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    // Upwards, as diffusers counts before it turns the list around: halves round the same way.
    let times = evenly(schedule.t_min(), schedule.t_max(), n).into_iter().rev();
    if whole(schedule, n).is_some() { times.map(f64::round_ties_even).collect() } else { times.collect() }
}

pub fn leading(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    let (least, most) = (schedule.t_min(), schedule.t_max());
    let step = whole(schedule, n).map_or((most - least) / n as f64, |total| (total / n) as f64);
    (0..n).rev().map(|i| least + i as f64 * step).collect()
}

pub fn trailing(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    match whole(schedule, n) {
        Some(total) => fractions(n, total as f64).map(|t| t.round_ties_even() - 1.0).collect(),
        None => uniform(schedule, n),
    }
}

/// `most` and on downwards in `n` equal steps that would end at 0.
fn fractions(n: usize, most: f64) -> impl Iterator<Item = f64> {
    downwards(most, most / n as f64, n).into_iter()
}

pub fn uniform(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    match whole(schedule, n) {
        Some(total) => fractions(n, total as f64).map(|t| (t - 1.0).max(0.0)).collect(),
        None => fractions(n, schedule.t_max()).collect(),
    }
}

pub fn shifted(schedule: &impl NoiseSchedule, shift: f64, n: usize) -> Vec<f64> {
    let moved = fractions(n, 1.0).map(|u| shift * u / (1.0 + (shift - 1.0) * u));
    match whole(schedule, n) {
        Some(total) => distinct(moved.map(|u| (u * total as f64).round_ties_even() - 1.0).collect()),
        None => moved.map(|u| u * schedule.t_max()).collect(),
    }
}

pub fn normal(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    evenly(schedule.t_max(), schedule.t_min(), n)
}

pub fn sgm_uniform(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    let mut times = evenly(schedule.t_max(), schedule.t_min(), n + 1);
    times.truncate(n);
    times
}

pub fn simple(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    let total = total(schedule);
    let last = (total - 1) as f64;
    let whole = |i: usize| (i as f64 * (total as f64 / n as f64)).floor();
    let back = (0..n).map(|i| if n <= total { whole(i) } else { i as f64 * last / n as f64 });
    at_places(schedule, back.map(|back| last - back))
}

pub fn ddim_uniform(schedule: &impl NoiseSchedule, n: usize) -> Vec<f64> {
    let total = total(schedule);
    let last = (total - 1) as f64;
    let step = if n <= total { (total / n) as f64 } else { last / n as f64 };
    let highest = (n - 1) as f64 * step;
    let first = (last - highest).min(1.0);
    at_places(schedule, (0..n).rev().map(|i| first + i as f64 * step))
}

pub fn beta(schedule: &impl NoiseSchedule, alpha: f64, beta: f64, n: usize) -> Vec<f64> {
    let total = total(schedule);
    let places = fractions(n, 1.0).map(|p| beta_quantile(p, alpha, beta) * (total - 1) as f64);
    let places = if n <= total { distinct(places.map(f64::round_ties_even).collect()) } else { places.collect() };
    at_places(schedule, places)
}

pub fn part_of_noisiest(schedule: &impl NoiseSchedule, parts: Vec<f64>) -> Vec<f64> {
    parts.into_iter().map(|part| part * schedule.t_max()).collect()
}
