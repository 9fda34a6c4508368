//! A noise level: the pair (alpha, sigma) of the forward process, and the conditioning time of the network.

/// One noise level of the forward process `x_t = alpha * x_0 + sigma * eps`.
///
/// Variance-preserving, variance-exploding and flow processes differ only in this pair, so every sampler serves all
/// three. (Kingma et al. 2021, "Variational Diffusion Models", arXiv 2107.00630, section 3.1.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The model's own time coordinate. The conditioning time of the level is
    /// [`NoiseSchedule::conditioning_time`](super::NoiseSchedule::conditioning_time), mostly this.
    pub t: f64,
    /// Scale of the data.
    pub alpha: f64,
    /// Standard deviation of the noise.
    pub sigma: f64,
}

impl Level {
    /// The clean end of every process: `x = x_0`.
    pub const CLEAN: Level = Level { t: 0.0, alpha: 1.0, sigma: 0.0 };

    /// The variance-preserving level with this noise-to-signal ratio: `alpha^2 + sigma^2 = 1`. An infinite ratio is
    /// pure noise.
    pub fn variance_preserving(t: f64, nsr: f64) -> Self {
        Self::scaled(t, nsr, 1.0_f64.hypot(nsr))
    }

    /// The variance-exploding level with this noise-to-signal ratio: `alpha = 1`.
    pub fn variance_exploding(t: f64, nsr: f64) -> Self {
        Self { t, alpha: 1.0, sigma: nsr }
    }

    /// The level of the straight path with this noise-to-signal ratio: `alpha + sigma = 1`. An infinite ratio is pure
    /// noise.
    pub fn flow(t: f64, nsr: f64) -> Self {
        Self::scaled(t, nsr, 1.0 + nsr)
    }

    fn scaled(t: f64, nsr: f64, norm: f64) -> Self {
        let (alpha, sigma) = if nsr == f64::INFINITY { (0.0, 1.0) } else { (1.0 / norm, nsr / norm) };
        Self { t, alpha, sigma }
    }

    /// Noise-to-signal ratio `sigma / alpha`: the "sigma" of the EDM and k-diffusion papers. Infinite at pure noise.
    pub fn nsr(&self) -> f64 {
        self.sigma / self.alpha
    }

    /// Half the log signal-to-noise ratio, `ln(alpha / sigma)` (Lu et al. 2022, arXiv 2206.00927, section 2).
    /// `+inf` at the clean end.
    pub fn lambda(&self) -> f64 {
        (self.alpha / self.sigma).ln()
    }

    /// The log signal-to-noise ratio, `ln(alpha^2 / sigma^2)` (Kingma et al. 2021, arXiv 2107.00630, section 3.1).
    pub fn log_snr(&self) -> f64 {
        2.0 * self.lambda()
    }

    /// Standard deviation of `x` for data of unit variance: what pure noise is scaled by to start a run.
    /// 1 for variance-preserving processes, `sqrt(1 + sigma^2)` for variance-exploding ones.
    pub fn marginal_std(&self) -> f64 {
        self.alpha.hypot(self.sigma)
    }
}
