//! Which noise levels a run visits.

use super::{Grid, GridError, Level, NoiseSchedule, downwards, linspace};

/// How the levels of a grid are spaced between pure noise and the clean end.
///
/// The first three choose times, the others noise-to-signal ratios. A grid of `n` steps visits `n` levels of the
/// schedule and then the clean end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// Times in equal steps from `t_max` to `t_min`, both visited (Lin et al. 2023, arXiv 2305.08891, table 2).
    Linspace,
    /// Times in equal steps that end at `t_min` and stop one step short of the noisiest time (the same table).
    Leading,
    /// Times in equal steps that start at `t_max` and stop one step short of zero (the same table; on a flow `i / n`).
    Trailing,
    /// Seventh roots of the noise-to-signal ratio in equal steps (Karras et al. 2022, arXiv 2206.00364, equation 5).
    Karras,
    /// Logarithms of the noise-to-signal ratio in equal steps, from the largest to the smallest, both visited
    /// (k-diffusion's `get_sigmas_exponential`).
    Exponential,
    /// Log-SNR in equal steps, the last of which ends at the smallest ratio and so at the clean end (Lu et al. 2022,
    /// arXiv 2206.00927, section 3.4).
    LogSnr,
}

impl Spacing {
    /// Every spacing, in the order that the page shows.
    pub const ALL: [Spacing; 6] =
        [Self::Linspace, Self::Leading, Self::Trailing, Self::Karras, Self::Exponential, Self::LogSnr];

    /// Exponent of [`Spacing::Karras`], the paper's choice (arXiv 2206.00364, appendix D.1).
    pub const RHO: f64 = 7.0;

    /// The largest ratio that a spacing of ratios visits where the schedule's own is infinite: `sigma = 0.999` on a
    /// flow, as diffusers' solvers start one.
    pub const LARGEST_RATIO: f64 = 999.0;

    /// Most steps of a grid; a run of more would not end in a person's patience.
    pub const MOST_STEPS: usize = 100_000;

    /// Kebab-case id, as in links and on the command line.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Linspace => "linspace",
            Self::Leading => "leading",
            Self::Trailing => "trailing",
            Self::Karras => "karras",
            Self::Exponential => "exponential",
            Self::LogSnr => "log-snr",
        }
    }

    /// The spacing with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spacing| spacing.id() == id)
    }

    /// The grid of `steps` steps on `schedule`: `steps + 1` levels, the last of them clean.
    ///
    /// Times are whole timesteps where the network was trained at such, as in diffusers' DDPM and DDIM, unless the run
    /// has more steps than training had: then they are fractions. A single step always starts at the noisiest level,
    /// though by their formulas `Linspace` and `Leading` would start it at the cleanest.
    ///
    /// # Errors
    /// No steps, or more than [`Spacing::MOST_STEPS`]; a schedule that does not fall strictly.
    pub fn grid(&self, schedule: &impl NoiseSchedule, steps: usize) -> Result<Grid, GridError> {
        if steps == 0 {
            return Err(GridError::TooShort(steps));
        }
        if steps > Self::MOST_STEPS {
            return Err(GridError::TooLong { steps, most: Self::MOST_STEPS });
        }
        let times = |times: Vec<f64>| times.into_iter().map(|t| schedule.level(t)).collect();
        let ratios = |ratios: Vec<f64>| ratios.into_iter().map(|nsr| schedule.level_at(nsr)).collect();
        let least = schedule.level(schedule.t_min()).nsr();
        let most = Some(schedule.level(schedule.t_max()).nsr()).filter(|nsr| nsr.is_finite());
        let most = most.unwrap_or(Self::LARGEST_RATIO);
        let mut levels: Vec<Level> = match self {
            _ if steps == 1 => times(vec![schedule.t_max()]),
            Self::Linspace => times(linspace_times(schedule, steps)),
            Self::Leading => times(leading_times(schedule, steps)),
            Self::Trailing => times(trailing_times(schedule, steps)),
            Self::Karras => ratios(karras(most, least, Self::RHO, steps)),
            Self::Exponential => ratios(exponential(most, least, steps)),
            Self::LogSnr => ratios(exponential(most, least, steps + 1)[..steps].to_vec()),
        };
        levels.push(Level::CLEAN);
        Grid::new(levels)
    }
}

/// The training timesteps, if `steps` of them can all differ.
fn whole(schedule: &impl NoiseSchedule, steps: usize) -> Option<usize> {
    schedule.timesteps().filter(|total| steps <= *total)
}

fn linspace_times(schedule: &impl NoiseSchedule, steps: usize) -> Vec<f64> {
    // Upwards, as diffusers counts before it turns the list around: halves round the same way.
    let times = linspace(schedule.t_min(), schedule.t_max(), steps).into_iter().rev();
    if whole(schedule, steps).is_some() { times.map(f64::round_ties_even).collect() } else { times.collect() }
}

fn leading_times(schedule: &impl NoiseSchedule, steps: usize) -> Vec<f64> {
    let (least, most) = (schedule.t_min(), schedule.t_max());
    let step = whole(schedule, steps).map_or((most - least) / steps as f64, |total| (total / steps) as f64);
    (0..steps).rev().map(|i| least + i as f64 * step).collect()
}

fn trailing_times(schedule: &impl NoiseSchedule, steps: usize) -> Vec<f64> {
    let even = |start: f64| downwards(start, start / steps as f64, steps).into_iter();
    match whole(schedule, steps) {
        Some(total) => even(total as f64).map(|t| t.round_ties_even() - 1.0).collect(),
        None => even(schedule.t_max()).collect(),
    }
}

/// `n` noise-to-signal ratios from `most` to `least` whose `rho`-th roots are equally spaced (Karras et al. 2022, arXiv
/// 2206.00364, equation 5); `most` alone where `n` is 1.
pub fn karras(most: f64, least: f64, rho: f64, n: usize) -> Vec<f64> {
    linspace(most.powf(1.0 / rho), least.powf(1.0 / rho), n).into_iter().map(|root| root.powf(rho)).collect()
}

/// `n` noise-to-signal ratios from `most` to `least` whose logarithms are equally spaced; `most` alone where `n` is 1.
pub fn exponential(most: f64, least: f64, n: usize) -> Vec<f64> {
    linspace(most.ln(), least.ln(), n).into_iter().map(f64::exp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::schedule::tests::all;
    use crate::math::{Discrete, Flow};
    use proptest::prelude::*;

    fn linear() -> Discrete {
        Discrete::linear(1e-4, 0.02, 1000).unwrap()
    }

    fn times(spacing: Spacing, schedule: &impl NoiseSchedule, steps: usize) -> Vec<f64> {
        let grid = spacing.grid(schedule, steps).unwrap();
        grid.levels()[..steps].iter().map(|level| level.t).collect()
    }

    proptest! {
        // Grid::new holds that the levels are finite and fall strictly.
        #[test]
        fn every_spacing_of_every_schedule_is_a_grid(steps in 1_usize..=1000) {
            for (name, schedule) in all() {
                for spacing in Spacing::ALL {
                    let grid = spacing.grid(&schedule, steps);
                    let grid = grid.map_err(|e| TestCaseError::fail(format!("{} on {name}: {e}", spacing.id())))?;
                    prop_assert_eq!(grid.steps(), steps);
                    prop_assert_eq!(grid.levels()[steps], Level::CLEAN);
                    for level in &grid.levels()[..steps] {
                        prop_assert!((0.0..=schedule.t_max()).contains(&level.t), "{} on {name}: {level:?}", spacing.id());
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_step_range_are_grids_too() {
        for (name, schedule) in all() {
            for (spacing, steps) in Spacing::ALL.into_iter().flat_map(|s| [(s, 1), (s, 2), (s, 999), (s, 1000)]) {
                let grid = spacing.grid(&schedule, steps).unwrap_or_else(|e| panic!("{} on {name}: {e}", spacing.id()));
                assert_eq!(grid.steps(), steps);
                if steps == 1 {
                    assert_eq!(grid.first(), schedule.level(schedule.t_max()), "{} on {name}", spacing.id());
                }
            }
        }
    }

    #[test]
    fn whole_timesteps_are_those_of_diffusers() {
        // DDPMScheduler.set_timesteps(7) and (3) with each timestep_spacing, diffusers 0.42.1.
        assert_eq!(times(Spacing::Linspace, &linear(), 7), [999.0, 832.0, 666.0, 500.0, 333.0, 166.0, 0.0]);
        assert_eq!(times(Spacing::Leading, &linear(), 7), [852.0, 710.0, 568.0, 426.0, 284.0, 142.0, 0.0]);
        assert_eq!(times(Spacing::Trailing, &linear(), 7), [999.0, 856.0, 713.0, 570.0, 428.0, 285.0, 142.0]);
        assert_eq!(times(Spacing::Trailing, &linear(), 3), [999.0, 666.0, 332.0]);
        // 937.5 would round to the even 938, but numpy's arange arrives a little below it.
        assert_eq!(times(Spacing::Trailing, &linear(), 48)[3], 936.0);
    }

    #[test]
    fn continuous_times_are_uniform() {
        let flow = Flow::default();
        let near = |a: Vec<f64>, b: [f64; 4]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?}");
        near(times(Spacing::Trailing, &flow, 4), [1.0, 0.75, 0.5, 0.25]);
        near(times(Spacing::Linspace, &flow, 4), [1.0, 0.667, 0.334, 0.001]);
        near(times(Spacing::Leading, &flow, 4), [0.75025, 0.5005, 0.25075, 0.001]);
    }

    #[test]
    fn ratios_are_spaced_as_named() {
        let (most, least) = (linear().level(999.0).nsr(), linear().level(0.0).nsr());
        let differences = |spacing: Spacing, of: fn(f64) -> f64| {
            let grid = spacing.grid(&linear(), 5).unwrap();
            let visited: Vec<f64> = grid.levels()[..5].iter().map(|level| of(level.nsr())).collect();
            visited.windows(2).map(|w| w[0] - w[1]).collect::<Vec<_>>()
        };
        let all = |a: Vec<f64>, b: f64| assert!(a.iter().all(|a| (a - b).abs() < 1e-12), "{a:?}, not {b}");
        let root = |v: f64| v.powf(1.0 / 7.0);
        all(differences(Spacing::Karras, root), (root(most) - root(least)) / 4.0);
        all(differences(Spacing::Exponential, f64::ln), (most.ln() - least.ln()) / 4.0);
        all(differences(Spacing::LogSnr, f64::ln), (most.ln() - least.ln()) / 5.0);
    }

    #[test]
    fn an_infinite_ratio_is_capped_for_spacings_of_ratios_only() {
        for (spacing, first) in [(Spacing::Trailing, 1.0), (Spacing::Karras, 0.999), (Spacing::LogSnr, 0.999)] {
            let sigma = spacing.grid(&Flow::default(), 10).unwrap().first().sigma;
            assert!((sigma - first).abs() < 1e-12, "{}: {sigma}", spacing.id());
        }
    }

    #[test]
    fn too_few_and_too_many_steps_are_errors() {
        assert_eq!(Spacing::Karras.grid(&linear(), 0), Err(GridError::TooShort(0)));
        let said = Spacing::Leading.grid(&linear(), usize::MAX).unwrap_err().to_string();
        assert!(said.contains("100000"), "{said}");
    }

    #[test]
    fn ids_lead_back() {
        for spacing in Spacing::ALL {
            assert_eq!(Spacing::from_id(spacing.id()), Some(spacing));
        }
        assert_eq!(Spacing::from_id("Karras"), None);
    }
}
