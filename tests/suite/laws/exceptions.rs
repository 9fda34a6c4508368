//! What some rows cannot obey by their definition, and why. As narrow as possible: every other law still holds for them.

/// Rows that are not `trajectories_are_the_same_in_every_process`, and why they cannot be.
pub const BOUND_TO_ITS_PROCESS: &[(&str, &str)] = &[
    ("ddpm-large", "adds the forward variance beta_t, which depends on how fast alpha falls"),
    ("predictor-corrector", "predicts with the forward variance, as ddpm-large"),
    ("euler-maruyama", "takes its steps in the process's own time and coordinates"),
];

/// Rows whose steps are far from even on grids that are even in time, and so show their order in more of them.
pub const SHOWS_ITS_ORDER_LATE: &[&str] = &["flow-sde"];

/// Rows that let the mean err with the step, as they follow the drift of the data's scale by its slope, mix velocities of
/// several levels, each of which is another mixture of noise and data, or keep an output at another level than its own.
pub const MEAN_ERRS: &[&str] = &["euler-maruyama", "pndm-velocity", "pndm-prk-velocity", "euler-edm-churn-late"];

/// Rows that churn without scaling the data to the noisier level, as their library does: they leave the process, and obey
/// the laws without churn only.
pub const CHURNS_OFF_ITS_PATH: &[&str] = &["flow-heun-churn-late"];

/// Rows that, where they draw noise, leave some of it in the last step, as their library does.
pub const ENDS_NOISY: &[&str] = &["euler-churn-late", "euler-velocity-churn-late", "euler-edm-churn-late"];

/// Rows of any order that have weak order 2 at most where they draw noise, as the papers prove or find.
pub const AT_MOST_2_WITH_NOISE: &[&str] = &["er-sde", "sa-solver"];

/// Rows whose order is higher where they draw no noise, and that order.
pub const ORDER_WITHOUT_NOISE: &[(&str, usize)] = &[("dpmpp-sde", 2), ("seeds-3", 3), ("sa-solver-plus", 4)];

/// Rows whose leading error vanishes on Gaussian data, and the order that they show there.
pub const EASY_ON_GAUSSIANS: &[(&str, usize)] = &[("midpoint", 3)];

/// Rows whose errors at this order have both signs and cancel over a variance-exploding run, where the steps are equal in
/// log-SNR but for their turns: what is left there is that of the next order, or shows none.
pub const CANCELS_WHEN_EXPLODING: &[(&str, usize)] =
    &[("sde-dpm-solver", 1), ("sde-dpm-solver-heun", 1), ("sa-solver", 3)];

/// Rows whose errors on Gaussian data at this order have both signs along a flow, so that they show a lower one until
/// rounding hides it; on the mixture they show their own.
pub const CANCELS_IN_A_FLOW: &[(&str, usize)] = &[("unipc-eps-bh1", 5), ("unipc-eps-bh2", 5)];

/// Rows whose spread is right only where neighbouring steps are nearly equal in log-SNR, as they are nowhere near the
/// clean level of a process whose noise goes on to none.
pub const WRONG_ON_UNEQUAL_STEPS: &[&str] = &["dpmpp-3m-sde-diffusers"];

/// Rows that err in a step by how much it takes of the noise there was, or of what alpha grows by, which is half and more
/// near the pure noise of a flow, in however many steps. The error fades on the way; their marginals are looked at from
/// this ratio down.
pub const ROUGH_IN_MUCH_NOISE: &[&str] =
    &["sde-dpm-solver", "sde-dpm-solver-heun", "euler-maruyama", "predictor-corrector"];
pub const NOT_MUCH_NOISE: f64 = 2.0;

/// Rows that take the steps they remember for equal, and so have their order only where neighbouring steps are nearly so.
pub const TAKES_STEPS_FOR_EQUAL: &[&str] = &[
    "ipndm",
    "pndm",
    "pndm-prk",
    "pndm-velocity",
    "pndm-prk-velocity",
    "dpmpp-singlestep",
    "dpmpp-sde-singlestep",
    "dpmpp-sde-singlestep-heun",
    "dpmpp-singlestep-heun",
    "dpm-solver-singlestep",
    "dpm-solver-singlestep-heun",
    "dpmpp-3m-sde-diffusers",
];

/// Rows whose first steps evaluate more often than the others: how many steps, and how often.
pub const STARTS_WITH: &[(&str, usize, u32)] =
    &[("pndm", 1, 2), ("pndm-velocity", 1, 2), ("pndm-prk", 3, 4), ("pndm-prk-velocity", 3, 4)];

/// Rows that hold the model's estimate for the picture itself, as if it were a consistency function, whose picture has the
/// data's distribution. An exact denoiser's has not: see `limit_variance`.
pub const TAKES_ESTIMATES_FOR_PICTURES: &[&str] = &["lcm", "lcm-boundary", "consistency", "tcd"];

/// Rows that mix a part `c_skip` of the point itself into their estimate, as a network does that was distilled with
/// boundary conditions, and more than that part in the coarsest of these tests.
pub const SKIPS: &[(&str, f64)] = &[("lcm-boundary", 5e-3)];

/// Rows that take some of their steps again, which [`few_step`](super::few_step) counts.
pub const RESAMPLES: &[&str] = &["restart", "repaint"];

/// Rows whose step with noise spans several of the grid's, which are widest in log-SNR near the clean end of a process whose
/// noise goes on to none, and so errs as on a coarser grid.
pub const TAKES_NOISE_IN_GROUPS: &[&str] = &["dpmpp-sde-singlestep", "dpmpp-sde-singlestep-heun"];
