//! Which noise levels a run visits.

mod align_your_steps;
mod beta;
mod blend;
mod ratios;
#[cfg(test)]
mod tests;
mod text;
mod times;

pub use align_your_steps::AlignYourSteps;
pub use beta::{beta, beta_quantile};
pub use ratios::{drawn, exponential, karras, kl_optimal, linear_quadratic, polyexponential};
pub use text::SpacingError;

use super::{Grid, GridError, Level, NoiseSchedule};
use std::borrow::Cow;

/// How the levels of a grid are spaced between pure noise and the clean end.
///
/// Some choose times, the others noise-to-signal ratios. A grid of `n` steps visits `n` levels of the schedule and then
/// the clean end. The text form (`Display` and `FromStr`) is the id, and where a parameter is not its default, a colon
/// and the parameters: `karras`, `karras:5`, `beta:0.5,0.7`, `custom:10,3,1,0.1`.
#[derive(Clone, Debug, PartialEq)]
pub enum Spacing {
    /// Times in equal steps that start at `t_max` and stop one step short of zero (Lin et al. 2023, arXiv 2305.08891,
    /// table 2; on a flow `i / n`).
    Trailing,
    /// Times in equal steps from `t_max` to `t_min`, both visited (the same table).
    Linspace,
    /// Times in equal steps that end at `t_min` and stop one step short of the noisiest time (the same table).
    Leading,
    /// `rho`-th roots of the noise-to-signal ratio in equal steps (Karras et al. 2022, arXiv 2206.00364, equation 5).
    Karras { rho: f64 },
    /// Logarithms of the noise-to-signal ratio in equal steps, from the largest to the smallest, both visited
    /// (k-diffusion's `get_sigmas_exponential`).
    Exponential,
    /// As [`Exponential`](Self::Exponential), with the logarithms on a power of an even ramp
    /// (k-diffusion's `get_sigmas_polyexponential`).
    Polyexponential { rho: f64 },
    /// Timesteps at the quantiles of Beta(`alpha`, `beta`): crowded at both ends where both are below 1 (Lee et al.
    /// 2024, arXiv 2407.12173; ComfyUI's `beta`).
    Beta { alpha: f64, beta: f64 },
    /// Every `T / n`-th training timestep from the noisiest one, rounded towards it (ComfyUI's `simple`).
    Simple,
    /// As [`Linspace`](Self::Linspace) without rounding: between timesteps the logarithm of the ratio is linear
    /// (k-diffusion's `get_sigmas`, ComfyUI's and A1111's `normal`).
    Normal,
    /// As [`Normal`](Self::Normal), but the last of its equal steps ends at `t_min` and so at the clean end (Stability
    /// AI's generative-models; ComfyUI's `sgm_uniform`).
    SgmUniform,
    /// Every `T / n`-th training timestep counted from the second one (Song et al. 2021, arXiv 2010.02502, as in
    /// CompVis' code; ComfyUI's `ddim_uniform`).
    DdimUniform,
    /// Arctangents of the ratio in equal steps (Sabour et al. 2024, arXiv 2404.14507, section 3).
    KlOptimal,
    /// Half of the steps take away a fortieth of the noise in a line, the others the rest on a parabola (Mochi 1).
    LinearQuadratic,
    /// Noise levels optimised for one network, interpolated and stretched to this schedule (Sabour et al. 2024, arXiv
    /// 2404.14507).
    AlignYourSteps(AlignYourSteps),
    /// Log-SNR in equal steps, the last of which ends at the smallest ratio and so at the clean end (Lu et al. 2022,
    /// arXiv 2206.00927, section 3.4).
    LogSnr,
    /// Equal steps of the process's continuous time all the way to zero, where training timestep `i` of `T` is the time
    /// `(i + 1) / T` (as in the code of Lu et al. 2022, arXiv 2206.00927): [`Trailing`](Self::Trailing) without rounding.
    TimeUniform,
    /// [`Trailing`](Self::Trailing) with its times `u` of 0..=1 moved to `shift u / (1 + (shift - 1) u)`, which on a flow
    /// multiplies the ratio by `shift` (Esser et al. 2024, arXiv 2403.03206, section 5.3.2).
    Shifted { shift: f64 },
    /// Logarithms of the ratio between those of two spacings at the same step, `ln r = (1 - weight) ln r_1 + weight ln r_2`: the first
    /// alone at 0, the second alone at 1. What blends is computed, no typed list and no other blend.
    Blend { of: Cow<'static, [Spacing]>, weight: f64 },
    /// The logarithm of the ratio on a curve through these heights at equal distances along the steps, straight between them: 1 is the
    /// largest ratio, 0 the smallest.
    Drawn(Cow<'static, [f64]>),
    /// These noise-to-signal ratios, falling, and then the clean end.
    Custom(Cow<'static, [f64]>),
    /// The levels at these times of the process, falling, and then the clean end.
    CustomTimes(Cow<'static, [f64]>),
}

impl Spacing {
    /// One of each kind with its default parameters, in the order that the page shows.
    pub const ALL: [Spacing; 21] = [
        Self::Trailing,
        Self::Linspace,
        Self::Leading,
        Self::Karras { rho: Self::RHO },
        Self::Exponential,
        Self::Beta { alpha: 0.6, beta: 0.6 },
        Self::Simple,
        Self::Normal,
        Self::SgmUniform,
        Self::DdimUniform,
        Self::LogSnr,
        Self::AlignYourSteps(AlignYourSteps::Sd1),
        Self::Shifted { shift: 3.0 },
        Self::KlOptimal,
        Self::LinearQuadratic,
        Self::Polyexponential { rho: 1.0 },
        Self::TimeUniform,
        Self::Blend { of: Cow::Borrowed(Self::BLENDED), weight: 0.5 },
        Self::Drawn(Cow::Borrowed(&[1.0, 0.6, 0.3, 0.0])),
        Self::Custom(Cow::Borrowed(&[16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125])),
        Self::CustomTimes(Cow::Borrowed(&[999.0, 749.0, 499.0, 249.0])),
    ];

    /// What [`Spacing::Blend`] is of, unless it is said.
    const BLENDED: &[Spacing] = &[Self::Karras { rho: Self::RHO }, Self::Trailing];

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
            Self::Trailing => "trailing",
            Self::Linspace => "linspace",
            Self::Leading => "leading",
            Self::Karras { .. } => "karras",
            Self::Exponential => "exponential",
            Self::Polyexponential { .. } => "polyexponential",
            Self::Beta { .. } => "beta",
            Self::Simple => "simple",
            Self::Normal => "normal",
            Self::SgmUniform => "sgm-uniform",
            Self::DdimUniform => "ddim-uniform",
            Self::KlOptimal => "kl-optimal",
            Self::LinearQuadratic => "linear-quadratic",
            Self::AlignYourSteps(_) => "align-your-steps",
            Self::LogSnr => "log-snr",
            Self::TimeUniform => "time-uniform",
            Self::Shifted { .. } => "shifted",
            Self::Blend { .. } => "blend",
            Self::Drawn(_) => "drawn",
            Self::Custom(_) => "custom",
            Self::CustomTimes(_) => "custom-times",
        }
    }

    /// The spacing of this kind with its default parameters.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spacing| spacing.id() == id)
    }

    /// The number of steps where the spacing itself says it: that of a typed list.
    pub fn steps(&self) -> Option<usize> {
        match self {
            Self::Custom(list) | Self::CustomTimes(list) => Some(list.len()),
            _ => None,
        }
    }

    /// The grid of `steps` steps on `schedule`: `steps + 1` levels, the last of them clean. A typed list has its own
    /// number of steps ([`Spacing::steps`]), whatever `steps` says.
    ///
    /// Times are whole timesteps where the network was trained at such, as in diffusers' DDPM and DDIM, unless the run
    /// has more steps than training had: then they are fractions. A single step always starts at the noisiest level,
    /// though by their formulas some spacings would start it elsewhere.
    ///
    /// # Errors
    /// No steps, or more than [`Spacing::MOST_STEPS`]; levels that do not fall strictly, which only a typed list or a
    /// parameter outside its range can cause.
    pub fn grid(&self, schedule: &impl NoiseSchedule, steps: usize) -> Result<Grid, GridError> {
        let steps = self.steps().unwrap_or(steps);
        if steps == 0 {
            return Err(GridError::TooShort(steps));
        }
        if steps > Self::MOST_STEPS {
            return Err(GridError::TooLong { steps, most: Self::MOST_STEPS });
        }
        let levels = self.levels(schedule, steps).into_iter().chain([Level::CLEAN]);
        Grid::new(levels.collect())
    }

    fn levels(&self, schedule: &impl NoiseSchedule, n: usize) -> Vec<Level> {
        let times = |times: Vec<f64>| times.into_iter().map(|t| times::level(schedule, t)).collect();
        let ratios = |ratios: &[f64]| ratios.iter().map(|nsr| schedule.level_at(*nsr)).collect();
        let least = schedule.level(schedule.t_min()).nsr();
        let noisiest = schedule.level(schedule.t_max()).nsr();
        let most = if noisiest.is_finite() { noisiest } else { Self::LARGEST_RATIO };
        match self {
            Self::Custom(list) => ratios(list),
            Self::CustomTimes(list) => times(list.to_vec()),
            _ if n == 1 => times(vec![schedule.t_max()]),
            Self::Trailing => times(times::trailing(schedule, n)),
            Self::Linspace => times(times::linspace(schedule, n)),
            Self::Leading => times(times::leading(schedule, n)),
            Self::Beta { alpha, beta } => times(times::beta(schedule, *alpha, *beta, n)),
            Self::Simple => times(times::simple(schedule, n)),
            Self::Normal => times(times::normal(schedule, n)),
            Self::SgmUniform => times(times::sgm_uniform(schedule, n)),
            Self::DdimUniform => times(times::ddim_uniform(schedule, n)),
            Self::TimeUniform => times(times::uniform(schedule, n)),
            Self::Shifted { shift } => times(times::shifted(schedule, *shift, n)),
            Self::Karras { rho } => ratios(&karras(most, least, *rho, n)),
            Self::Exponential => ratios(&exponential(most, least, n)),
            Self::Polyexponential { rho } => ratios(&polyexponential(most, least, *rho, n)),
            Self::KlOptimal => ratios(&kl_optimal(most, least, n)),
            Self::AlignYourSteps(table) => ratios(&table.stretched(most, least, n + 1)[..n]),
            Self::LogSnr => ratios(&exponential(most, least, n + 1)[..n]),
            Self::Blend { of, weight } => blend::levels(schedule, of, *weight, n),
            Self::Drawn(heights) => ratios(&drawn(most, least, heights, n)),
            // From pure noise there is no largest ratio to take parts of; the times are what Mochi's flow takes.
            Self::LinearQuadratic if noisiest.is_infinite() => {
                times(times::part_of_noisiest(schedule, linear_quadratic(n)))
            }
            Self::LinearQuadratic => ratios(&linear_quadratic(n).iter().map(|part| part * most).collect::<Vec<_>>()),
        }
    }
}
