//! What a person may turn on a sampler.

use std::ops::RangeInclusive;

/// The value of every knob. A method reads those that its row lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    pub eta: f64,
    pub order: usize,
    pub churn: f64,
    pub churn_min: f64,
    pub churn_max: f64,
    pub noise_scale: f64,
    pub snr: f64,
    pub inner: usize,
    pub temperature: f64,
    pub tolerance: f64,
    pub absolute_tolerance: f64,
    pub step_size: f64,
    pub restart_min: f64,
    pub restart_max: f64,
    pub jump: usize,
}

impl Tuning {
    /// The values that mean "as in the paper" for most methods; a row states its own where it differs.
    pub const DEFAULT: Self = Self {
        eta: 0.0,
        order: 1,
        churn: 0.0,
        churn_min: 0.0,
        churn_max: f64::INFINITY,
        noise_scale: 1.0,
        snr: 0.16,
        inner: 1,
        temperature: 1.0,
        tolerance: 0.05,
        absolute_tolerance: 0.0078,
        step_size: 1.0,
        restart_min: 0.1,
        restart_max: 2.0,
        jump: 5,
    };
}

/// One thing that a person may turn. Its id is the key in links and the name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Knob {
    /// How much fresh noise a step adds, dimensionless: 0 none (deterministic), 1 the full posterior or reverse-SDE
    /// noise.
    Eta,
    /// Order of a multistep or singlestep method, up to the given one.
    Order(usize),
    /// `S_churn`: how much noise is added before the steps, in total (Karras et al. 2022, arXiv 2206.00364, algorithm 2).
    Churn,
    /// `S_tmin`: the noise-to-signal ratio below which there is no churn.
    ChurnMin,
    /// `S_tmax`: the noise-to-signal ratio above which there is no churn.
    ChurnMax,
    /// `S_noise`: a factor on the standard deviation of all fresh noise.
    NoiseScale,
    /// Signal-to-noise ratio of a Langevin corrector's step (Song et al. 2021, arXiv 2011.13456, algorithms 4 and 5).
    Snr,
    /// Rounds: Langevin steps at each noise level, restarts, how often a step is walked.
    Inner,
    /// Temperature of Langevin dynamics: 1 samples the model's law, 0 climbs to its modes.
    Temperature,
    /// Relative error that a step of an adaptive method may make.
    Tolerance,
    /// Error that it may make anyway, in units of the data.
    AbsoluteTolerance,
    /// Size of a Langevin step over the squared noise-to-signal ratio of its level: 2 goes all the way to the estimate.
    StepSize,
    /// The noise-to-signal ratio that a restart goes up from (`t_min` of Xu et al. 2023, arXiv 2306.14878).
    RestartMin,
    /// The noise-to-signal ratio that a restart goes up to (`t_max` of the same).
    RestartMax,
    /// How many steps of the grid a jump goes back up (Lugmayr et al. 2022, arXiv 2201.09865, appendix B).
    Jump,
}

impl Knob {
    /// Every knob, each as wide as any method has it.
    pub const ALL: [Knob; 15] = [
        Self::Eta,
        Self::Order(4),
        Self::Churn,
        Self::ChurnMin,
        Self::ChurnMax,
        Self::NoiseScale,
        Self::Snr,
        Self::Inner,
        Self::Temperature,
        Self::Tolerance,
        Self::AbsoluteTolerance,
        Self::StepSize,
        Self::RestartMin,
        Self::RestartMax,
        Self::Jump,
    ];

    /// Kebab-case id, as in links and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Eta => "eta",
            Self::Order(_) => "order",
            Self::Churn => "churn",
            Self::ChurnMin => "churn-min",
            Self::ChurnMax => "churn-max",
            Self::NoiseScale => "noise-scale",
            Self::Snr => "snr",
            Self::Inner => "inner",
            Self::Temperature => "temperature",
            Self::Tolerance => "tolerance",
            Self::AbsoluteTolerance => "absolute-tolerance",
            Self::StepSize => "step-size",
            Self::RestartMin => "restart-min",
            Self::RestartMax => "restart-max",
            Self::Jump => "jump",
        }
    }

    /// The values that it takes.
    pub fn range(self) -> RangeInclusive<f64> {
        match self {
            Self::Eta => 0.0..=1.0,
            Self::Order(most) => 1.0..=most as f64,
            Self::Churn => 0.0..=1000.0,
            Self::ChurnMin => 0.0..=1e6,
            Self::ChurnMax => 0.0..=f64::INFINITY,
            Self::NoiseScale => 0.0..=2.0,
            Self::Snr => 0.001..=1.0,
            Self::Inner => 1.0..=100.0,
            Self::Temperature => 0.0..=10.0,
            Self::Tolerance | Self::AbsoluteTolerance => 1e-12..=1.0,
            Self::StepSize => 0.001..=2.0,
            Self::RestartMin => 0.0..=1e6,
            Self::RestartMax => 0.0..=1e6,
            Self::Jump => 1.0..=100.0,
        }
    }

    /// Whether it takes whole numbers only.
    pub fn whole(self) -> bool {
        matches!(self, Self::Order(_) | Self::Inner | Self::Jump)
    }

    pub fn get(self, tuning: &Tuning) -> f64 {
        match self {
            Self::Eta => tuning.eta,
            Self::Order(_) => tuning.order as f64,
            Self::Churn => tuning.churn,
            Self::ChurnMin => tuning.churn_min,
            Self::ChurnMax => tuning.churn_max,
            Self::NoiseScale => tuning.noise_scale,
            Self::Snr => tuning.snr,
            Self::Inner => tuning.inner as f64,
            Self::Temperature => tuning.temperature,
            Self::Tolerance => tuning.tolerance,
            Self::AbsoluteTolerance => tuning.absolute_tolerance,
            Self::StepSize => tuning.step_size,
            Self::RestartMin => tuning.restart_min,
            Self::RestartMax => tuning.restart_max,
            Self::Jump => tuning.jump as f64,
        }
    }

    /// Sets the knob; a value out of its range is brought into it, one that should be whole is rounded.
    pub fn set(self, tuning: &mut Tuning, value: f64) {
        let range = self.range();
        let value = value.clamp(*range.start(), *range.end());
        match self {
            Self::Eta => tuning.eta = value,
            Self::Order(_) => tuning.order = value.round() as usize,
            Self::Churn => tuning.churn = value,
            Self::ChurnMin => tuning.churn_min = value,
            Self::ChurnMax => tuning.churn_max = value,
            Self::NoiseScale => tuning.noise_scale = value,
            Self::Snr => tuning.snr = value,
            Self::Inner => tuning.inner = value.round() as usize,
            Self::Temperature => tuning.temperature = value,
            Self::Tolerance => tuning.tolerance = value,
            Self::AbsoluteTolerance => tuning.absolute_tolerance = value,
            Self::StepSize => tuning.step_size = value,
            Self::RestartMin => tuning.restart_min = value,
            Self::RestartMax => tuning.restart_max = value,
            Self::Jump => tuning.jump = value.round() as usize,
        }
    }
}
