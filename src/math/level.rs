//! A noise level: the pair (alpha, sigma) of the forward process, and the time the network is told.

/// One noise level of the forward process `x_t = alpha * x_0 + sigma * eps`.
///
/// Variance-preserving, variance-exploding and flow processes differ only in this pair, so every sampler serves all
/// three. (Kingma et al. 2021, "Variational Diffusion Models", arXiv 2107.00630, section 3.1.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The model's own time coordinate: what the network is told.
    pub t: f64,
    /// Scale of the data.
    pub alpha: f64,
    /// Standard deviation of the noise.
    pub sigma: f64,
}

impl Level {
    /// The clean end of every process: `x = x_0`.
    pub const CLEAN: Level = Level { t: 0.0, alpha: 1.0, sigma: 0.0 };

    /// Noise-to-signal ratio `sigma / alpha`: the "sigma" of the EDM and k-diffusion papers. Infinite at pure noise.
    pub fn nsr(&self) -> f64 {
        self.sigma / self.alpha
    }

    /// Half the log signal-to-noise ratio, `ln(alpha / sigma)` (Lu et al. 2022, arXiv 2206.00927, section 2).
    /// `+inf` at the clean end.
    pub fn lambda(&self) -> f64 {
        (self.alpha / self.sigma).ln()
    }

    /// Standard deviation of `x` for data of unit variance: what pure noise is scaled by to start a run.
    /// 1 for variance-preserving processes, `sqrt(1 + sigma^2)` for variance-exploding ones.
    pub fn marginal_std(&self) -> f64 {
        self.alpha.hypot(self.sigma)
    }
}
