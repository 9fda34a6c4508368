//! The variance-preserving schedules of DDPM: a table of betas.

use super::{NoiseSchedule, Rates, ScheduleError};
use crate::math::{Level, linspace};
use std::f64::consts::FRAC_PI_2;

/// A variance-preserving process of `T` training steps (Ho et al. 2020, arXiv 2006.11239, section 2):
/// `alpha_t^2 = prod_{s <= t} (1 - beta_s)` and `sigma_t^2 = 1 - alpha_t^2` for `t` in `0..T`.
///
/// Between two timesteps [`level`](NoiseSchedule::level) takes the noise-to-signal ratio linear in `t` and
/// [`time_at`](NoiseSchedule::time_at) takes its logarithm linear in `t`: both are what diffusers does, so the two are
/// inverses at whole timesteps only.
#[derive(Clone, Debug, PartialEq)]
pub struct Discrete {
    /// Noise-to-signal ratio at each timestep: positive and rising, but for what is said of the last one: it may be
    /// infinite, or a finite number in place of that.
    nsr: Vec<f64>,
}

impl Discrete {
    /// The table must fit in memory many times over; no network has been trained with more.
    const TIMESTEPS: std::ops::RangeInclusive<usize> = 2..=1_000_000;

    /// The schedule with these betas, each above 0 and below 1.
    ///
    /// # Errors
    /// A beta out of its range; fewer than 2 or more than a million of them.
    pub fn from_betas(betas: &[f64]) -> Result<Self, ScheduleError> {
        Self::checked(betas.len())?;
        if let Some((index, &beta)) = betas.iter().enumerate().find(|(_, b)| !(**b > 0.0 && **b < 1.0)) {
            return Err(ScheduleError::Beta { index, beta });
        }
        let alpha_bar = betas.iter().scan(1.0, |product, beta| {
            *product *= 1.0 - beta;
            Some(*product)
        });
        let nsr: Vec<f64> = alpha_bar.map(|a| ((1.0 - a) / a).sqrt()).collect();
        // Small betas vanish beside 1, and long tables of large ones run out of floating-point numbers.
        let rises = |i: usize| nsr[i] > if i == 0 { 0.0 } else { nsr[i - 1] } && nsr[i].is_finite();
        match (0..nsr.len()).find(|&i| !rises(i)) {
            Some(index) => Err(ScheduleError::Beta { index, beta: betas[index] }),
            None => Ok(Self { nsr }),
        }
    }

    /// Betas in a straight line from `start` to `end` (Ho et al. 2020, arXiv 2006.11239, section 4: 0.0001 to 0.02 in
    /// 1000 steps).
    ///
    /// # Errors
    /// As [`from_betas`](Self::from_betas).
    pub fn linear(start: f64, end: f64, timesteps: usize) -> Result<Self, ScheduleError> {
        Self::checked(timesteps)?;
        Self::from_betas(&linspace(start, end, timesteps))
    }

    /// Betas whose square roots lie in a straight line (the schedule of latent diffusion; Rombach et al. 2022, arXiv
    /// 2112.10752).
    ///
    /// # Errors
    /// As [`from_betas`](Self::from_betas).
    pub fn scaled_linear(start: f64, end: f64, timesteps: usize) -> Result<Self, ScheduleError> {
        Self::checked(timesteps)?;
        let roots = linspace(start.sqrt(), end.sqrt(), timesteps);
        Self::from_betas(&roots.iter().map(|r| r * r).collect::<Vec<_>>())
    }

    /// Betas on a logistic curve from `start` to `end` (Xu et al. 2022, "GeoDiff", arXiv 2203.02923).
    ///
    /// # Errors
    /// As [`from_betas`](Self::from_betas).
    pub fn sigmoid(start: f64, end: f64, timesteps: usize) -> Result<Self, ScheduleError> {
        Self::checked(timesteps)?;
        let curve = linspace(-6.0, 6.0, timesteps).into_iter().map(|v| start + (end - start) / (1.0 + (-v).exp()));
        Self::from_betas(&curve.collect::<Vec<_>>())
    }

    /// The cosine schedule (Nichol & Dhariwal 2021, arXiv 2102.09672, equation 17).
    ///
    /// # Errors
    /// As [`from_betas`](Self::from_betas).
    pub fn cosine(timesteps: usize) -> Result<Self, ScheduleError> {
        Self::from_alpha_bar(timesteps, |u| ((u + 0.008) / 1.008 * FRAC_PI_2).cos().powi(2))
    }

    /// The schedule whose `alpha_bar` falls exponentially to `e^-12` (`betas_for_alpha_bar` of diffusers, "exp").
    ///
    /// # Errors
    /// As [`from_betas`](Self::from_betas).
    pub fn exponential(timesteps: usize) -> Result<Self, ScheduleError> {
        Self::from_alpha_bar(timesteps, |u| (-12.0 * u).exp())
    }

    /// The schedule that follows `alpha_bar(u)` for `u` in 0..1, with every beta held to at most 0.999 (Nichol &
    /// Dhariwal 2021, arXiv 2102.09672, section 3.2).
    ///
    /// # Errors
    /// As [`from_betas`](Self::from_betas).
    pub fn from_alpha_bar(timesteps: usize, alpha_bar: impl Fn(f64) -> f64) -> Result<Self, ScheduleError> {
        Self::checked(timesteps)?;
        let at = |i: usize| alpha_bar(i as f64 / timesteps as f64);
        Self::from_betas(&(0..timesteps).map(|i| (1.0 - at(i + 1) / at(i)).min(0.999)).collect::<Vec<_>>())
    }

    /// The schedule stretched so that the last timestep is pure noise (Lin et al. 2023, arXiv 2305.08891,
    /// algorithm 1). Only a network that predicts `x_0` or `v` has an estimate there.
    pub fn to_zero_terminal_snr(&self) -> Self {
        let alpha = |nsr: &f64| Level::variance_preserving(0.0, *nsr).alpha;
        let (first, last) = (alpha(&self.nsr[0]), alpha(&self.nsr[self.nsr.len() - 1]));
        let stretched = self.nsr.iter().map(|nsr| (alpha(nsr) - last) * first / (first - last));
        Self { nsr: stretched.map(|a| (1.0 - a * a).sqrt() / a).collect() }
    }

    /// The schedule with `last` for an infinite noise-to-signal ratio at the last timestep. It may be less than the ones
    /// before, as in diffusers' tables; whole timesteps, times between them and their inverse are still those of the
    /// table.
    pub fn ending_at(&self, last: f64) -> Self {
        Self { nsr: self.nsr.iter().map(|nsr| if nsr.is_finite() { *nsr } else { last }).collect() }
    }

    fn checked(timesteps: usize) -> Result<(), ScheduleError> {
        let range = Self::TIMESTEPS;
        range.contains(&timesteps).then_some(()).ok_or(ScheduleError::Timesteps {
            got: timesteps,
            least: *range.start(),
            most: *range.end(),
        })
    }
}

impl NoiseSchedule for Discrete {
    fn level(&self, t: f64) -> Level {
        let t = t.clamp(0.0, self.t_max());
        let (low, part) = (t.floor() as usize, t.fract());
        let nsr = if part == 0.0 { self.nsr[low] } else { self.nsr[low] + part * (self.nsr[low + 1] - self.nsr[low]) };
        Level::variance_preserving(t, nsr)
    }

    fn level_at(&self, nsr: f64) -> Level {
        let above = self.nsr.iter().rposition(|v| *v <= nsr).map_or(0, |low| low + 1);
        let t = match above.checked_sub(1) {
            None => 0.0,
            Some(low) if above == self.nsr.len() => low as f64,
            Some(low) => low as f64 + (nsr / self.nsr[low]).ln() / (self.nsr[above] / self.nsr[low]).ln(),
        };
        Level::variance_preserving(t, nsr)
    }

    /// Those of the training step that ends at `t`, or that `t` lies in: `diffusion` is the paper's `beta_t`.
    fn rates(&self, t: f64) -> Rates {
        let end = t.clamp(0.0, self.t_max()).ceil();
        let level = self.level(end);
        let before = if end == 0.0 { Level::CLEAN } else { self.level(end - 1.0) };
        let share = before.nsr() / level.nsr();
        Rates { drift: (level.alpha / before.alpha).ln(), diffusion: level.sigma.powi(2) * (1.0 - share * share) }
    }

    fn t_min(&self) -> f64 {
        0.0
    }

    fn t_max(&self) -> f64 {
        (self.nsr.len() - 1) as f64
    }

    fn timesteps(&self) -> Option<usize> {
        Some(self.nsr.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `alpha_bar` at the first, a middle and the last timestep, computed with diffusers 0.42.1 in float64.
    #[test]
    fn tables_are_those_of_diffusers() {
        let cases = [
            (Discrete::linear(1e-4, 0.02, 1000), ALPHA_BARS[0]),
            (Discrete::scaled_linear(0.00085, 0.012, 1000), ALPHA_BARS[1]),
            (Discrete::cosine(1000), ALPHA_BARS[2]),
            (Discrete::sigmoid(1e-4, 0.02, 1000), ALPHA_BARS[3]),
            (Discrete::exponential(1000), ALPHA_BARS[4]),
        ];
        for (schedule, expected) in cases {
            let schedule = schedule.unwrap();
            for (t, alpha_bar) in [0.0, 500.0, 999.0].into_iter().zip(expected) {
                let got = schedule.level(t).alpha.powi(2);
                assert!((got / alpha_bar - 1.0).abs() < 1e-11, "t {t}: {got}, not {alpha_bar}");
            }
        }
    }

    const ALPHA_BARS: [[f64; 3]; 5] = [
        [0.9999, 0.07779665836502389, 4.0358297653756754e-05],
        [0.99915, 0.2763326838229746, 0.004660098513077238],
        [0.999958715775178, 0.49228517244880304, 2.4287669070348567e-09],
        [0.9998507947991829, 0.29888762784675893, 3.968181990533212e-05],
        [0.9880717128619305, 0.0024491849089589685, 6.14421235332821e-06],
    ];

    #[test]
    fn between_timesteps_the_ratio_is_linear_and_its_inverse_logarithmic() {
        let schedule = Discrete::linear(1e-4, 0.02, 1000).unwrap();
        let (low, high) = (schedule.level(10.0).nsr(), schedule.level(11.0).nsr());
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        near(schedule.level(10.25).nsr(), low + 0.25 * (high - low));
        near(schedule.time_at((low * high).sqrt()), 10.5);
    }

    #[test]
    fn the_stretched_schedule_ends_in_pure_noise_and_keeps_its_start() {
        let plain = Discrete::linear(1e-4, 0.02, 1000).unwrap();
        let stretched = plain.to_zero_terminal_snr();
        assert_eq!(stretched.level(999.0).alpha, 0.0);
        assert!((stretched.level(0.0).alpha - plain.level(0.0).alpha).abs() < 1e-12);
        // rescale_zero_terminal_snr of diffusers 0.42.1, alpha_bar in float64.
        let expected = [(1.0, 0.9997793254331531), (250.0, 0.5188605367916812), (500.0, 0.07524621570432673)];
        for (t, alpha_bar) in expected {
            assert!((stretched.level(t).alpha.powi(2) - alpha_bar).abs() < 1e-12, "t {t}");
        }
    }

    #[test]
    fn bad_tables_are_refused_in_words() {
        let said = |r: Result<Discrete, ScheduleError>| r.unwrap_err().to_string();
        assert!(said(Discrete::from_betas(&[0.1, 1.5])).contains("beta 1"));
        assert!(said(Discrete::from_betas(&[0.1, f64::NAN])).contains("beta 1"));
        assert!(said(Discrete::from_betas(&[1e-30, 1e-30])).contains("beta 0"));
        assert!(said(Discrete::from_betas(&[0.999; 400])).contains("beta "));
        assert!(said(Discrete::linear(1e-4, 0.02, 1)).contains("got 1"));
        assert!(said(Discrete::linear(1e-4, 0.02, usize::MAX)).contains("1000000"));
    }
}
