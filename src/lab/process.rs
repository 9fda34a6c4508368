//! The forward processes of the lab, and the clock that runs through them.

use crate::math::{Discrete, Flow, Grid, GridError, Level, NoiseSchedule, Schedule, ScheduleError, Spacing, Ve};
use std::ops::RangeInclusive;

/// Training steps of the variance-preserving processes.
pub const TIMESTEPS: usize = 1000;

/// Noise at the end of the variance-exploding process: several times as wide as the data.
const SIGMA_MAX: f64 = 10.0;

/// Which forward process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Variance preserving, betas from 0.0001 to 0.02 in a line (Ho et al. 2020, arXiv 2006.11239, section 4).
    Linear,
    /// Variance preserving on a cosine (Nichol & Dhariwal 2021, arXiv 2102.09672, equation 17).
    Cosine,
    /// Variance exploding, sigma from 0.01 to 10 (Song et al. 2021, arXiv 2011.13456, appendix C).
    VarianceExploding,
    /// `x_t = (1 - t) x_0 + t z` (Lipman et al. 2023, arXiv 2210.02747).
    Flow,
    /// Variance preserving along a [`Curve`] that a person drew.
    Curve,
}

impl Kind {
    /// Every kind with its id, in the order that the page shows.
    pub const ALL: [(&'static str, Self); 5] = [
        ("linear", Self::Linear),
        ("cosine", Self::Cosine),
        ("ve", Self::VarianceExploding),
        ("flow", Self::Flow),
        ("curve", Self::Curve),
    ];
}

/// A forward process with a clock: 0 at its least noisy level, 1 at its noisiest, and even in its own time between.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    schedule: Schedule,
}

impl Process {
    /// The process of a kind; only [`Kind::Curve`] reads `curve`.
    ///
    /// # Errors
    /// The curve rises too little somewhere to be told from a level one.
    pub fn new(kind: Kind, curve: &Curve) -> Result<Self, ScheduleError> {
        let schedule = match kind {
            Kind::Linear => Schedule::Discrete(Discrete::linear(1e-4, 0.02, TIMESTEPS)?),
            Kind::Cosine => Schedule::Discrete(Discrete::cosine(TIMESTEPS)?),
            Kind::VarianceExploding => Schedule::Ve(Ve { sigma_max: SIGMA_MAX, ..Ve::default() }),
            Kind::Flow => Schedule::Flow(Flow::default()),
            Kind::Curve => Schedule::Discrete(curve.schedule()?),
        };
        Ok(Self { schedule })
    }

    /// The noise schedule, for samplers, training and measures.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The level at a time of the clock, which is first brought into 0..=1.
    pub fn level(&self, clock: f64) -> Level {
        let (from, to) = self.times();
        let u = clock.clamp(0.0, 1.0);
        self.schedule.level(from * (1.0 - u) + to * u)
    }

    /// What the clock shows at a level of this process: 0 too at the clean end, which lies before its least noisy level.
    pub fn clock(&self, at: Level) -> f64 {
        let (from, to) = self.times();
        ((at.t - from) / (to - from)).clamp(0.0, 1.0)
    }

    /// The levels of a run of `steps` steps, from pure noise to the clean end, in equal steps of time.
    ///
    /// # Errors
    /// No steps, or far too many.
    pub fn grid(&self, steps: usize) -> Result<Grid, GridError> {
        Spacing::Trailing.grid(&self.schedule, steps)
    }

    fn times(&self) -> (f64, f64) {
        (self.schedule.t_min(), self.schedule.t_max())
    }
}

/// How much of a variance-preserving process is noise, `sigma^2 / (alpha^2 + sigma^2)`, at equal times from before
/// the first step to after the last: a few numbers of 0..=1 that rise strictly.
///
/// Between them the noise follows the monotone cubic of Fritsch & Butland 1984 (doi 10.1137/0905021), which goes through
/// every number and never overshoots. At the end it may reach 1: the last step keeps a thousandth of the variance of the
/// signal then, as in [`Discrete::cosine`].
#[derive(Clone, Debug, PartialEq)]
pub struct Curve(Vec<f64>);

impl Curve {
    /// How many numbers a curve has.
    pub const POINTS: RangeInclusive<usize> = 2..=12;

    /// The curve through `values`; `None` if they are too few or too many, leave 0..=1 or do not rise strictly.
    pub fn new(values: Vec<f64>) -> Option<Self> {
        let fine = Self::POINTS.contains(&values.len())
            && values.iter().all(|v| (0.0..=1.0).contains(v))
            && values.windows(2).all(|w| w[0] < w[1]);
        let curve = Self(values);
        (fine && curve.schedule().is_ok()).then_some(curve)
    }

    /// The numbers that it goes through.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The share of noise at `u` in 0..=1.
    fn share(&self, u: f64) -> f64 {
        let last = self.0.len() - 1;
        let place = u * last as f64;
        let i = (place as usize).min(last - 1);
        let rise = |i: usize| self.0[i + 1] - self.0[i];
        // The harmonic mean of the rises at both sides; at an end there is one.
        let slope = |i: usize| match i {
            0 => rise(0),
            _ if i == last => rise(last - 1),
            _ => 2.0 / (1.0 / rise(i - 1) + 1.0 / rise(i)),
        };
        let (v, w) = (place - i as f64, 1.0 - (place - i as f64));
        let ends = w * w * (1.0 + 2.0 * v) * self.0[i] + v * v * (1.0 + 2.0 * w) * self.0[i + 1];
        (ends + v * w * (w * slope(i) - v * slope(i + 1))).clamp(0.0, 1.0)
    }

    /// Before the first step there is no noise, wherever the curve begins.
    fn schedule(&self) -> Result<Discrete, ScheduleError> {
        Discrete::from_alpha_bar(TIMESTEPS, |u| if u == 0.0 { 1.0 } else { 1.0 - self.share(u) })
    }
}

impl Default for Curve {
    /// Close to the cosine's.
    fn default() -> Self {
        Self(vec![0.0, 0.15, 0.5, 0.85, 1.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process(kind: Kind) -> Process {
        Process::new(kind, &Curve::default()).expect("a process")
    }

    #[test]
    fn the_clock_runs_from_data_to_noise_and_is_read_back() {
        for (id, kind) in Kind::ALL {
            let process = process(kind);
            let mut before = 0.0;
            for i in 0..=40 {
                let clock = i as f64 / 40.0;
                let level = process.level(clock);
                assert!(level.nsr() > before, "{id}: {} after {before}", level.nsr());
                assert!((process.clock(level) - clock).abs() < 1e-12, "{id} at {clock}");
                before = level.nsr();
            }
            assert!(process.level(0.0).nsr() < 0.03 && before >= 9.9, "{id}");
            assert_eq!(process.clock(Level::CLEAN), 0.0);
            assert_eq!(process.level(-1.0), process.level(0.0));
            let grid = process.grid(20).expect("a grid");
            assert_eq!((grid.first(), grid.last()), (process.level(1.0), Level::CLEAN));
        }
    }

    #[test]
    fn a_curve_goes_through_its_numbers() {
        for values in [vec![0.0, 0.15, 0.5, 0.85, 1.0], vec![0.2, 0.9], vec![0.01, 0.02, 0.9, 0.91]] {
            let curve = Curve::new(values.clone()).expect("it rises");
            let process = Process::new(Kind::Curve, &curve).expect("a process");
            for (i, value) in values.iter().enumerate().skip(1) {
                // The timestep that ends at this time; a level of no signal at all is held off by the last beta.
                let end = i as f64 / (values.len() - 1) as f64 * TIMESTEPS as f64 - 1.0;
                let got = process.schedule().level(end).sigma.powi(2);
                // Times that fall between two timesteps are interpolated in the ratio.
                assert!((got - value).abs() < 2e-5, "{values:?}: {got} is not {value}");
            }
        }
    }

    #[test]
    fn what_does_not_rise_is_no_curve() {
        let bad: [&[f64]; 7] =
            [&[0.5], &[0.5, 0.5], &[0.5, 0.2], &[-0.1, 1.0], &[0.0, 1.1], &[0.0, f64::NAN], &[0.1, 0.1 + 1e-17]];
        for values in bad {
            assert_eq!(Curve::new(values.to_vec()), None, "{values:?}");
        }
        assert_eq!(Curve::new((0..13).map(|i| f64::from(i) / 12.0).collect()), None);
    }

    proptest! {
        #[test]
        fn a_curve_is_a_schedule_whose_noise_rises(cuts in prop::collection::btree_set(0_u32..=1000, 2..=12)) {
            let values: Vec<f64> = cuts.into_iter().map(|v| f64::from(v) / 1000.0).collect();
            let curve = Curve::new(values).expect("it rises");
            let process = Process::new(Kind::Curve, &curve).expect("a process");
            let noise: Vec<f64> = (0..TIMESTEPS).map(|t| process.schedule().level(t as f64).nsr()).collect();
            prop_assert!(noise.windows(2).all(|w| w[0] < w[1] && w[1].is_finite()));
        }
    }
}
