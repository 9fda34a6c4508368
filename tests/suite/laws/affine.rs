//! Exact moments without Monte Carlo: points that carry their mean and the coefficient of every noise drawn.

use unnoise::denoise::Denoiser;
use unnoise::math::{Latent, Level, Noise};

/// The random number `mean + sum_k spread[k] * z_k` of independent standard normals `z_k`. Noises that a point has not
/// met are missing from the end of `spread`.
///
/// A sampler only mixes points, and for Gaussian data the exact denoiser is affine, so a whole run stays of this form.
#[derive(Clone)]
pub struct Affine {
    pub mean: f64,
    pub spread: Vec<f64>,
}

impl Affine {
    pub fn variance(&self) -> f64 {
        self.spread.iter().map(|c| c * c).sum()
    }

    fn certain(mean: f64) -> Self {
        Self { mean, spread: Vec::new() }
    }

    /// Its value, if it is no random number at all.
    fn constant(&self) -> Option<f64> {
        self.spread.iter().all(|c| *c == 0.0).then_some(self.mean)
    }
}

impl Latent for Affine {
    fn mix(&self, a: f64, other: &Self, b: f64) -> Self {
        let at = |spread: &[f64], k: usize| spread.get(k).copied().unwrap_or(0.0);
        let len = self.spread.len().max(other.spread.len());
        Self {
            mean: a * self.mean + b * other.mean,
            spread: (0..len).map(|k| a * at(&self.spread, k) + b * at(&other.spread, k)).collect(),
        }
    }

    fn scale(&self, a: f64) -> Self {
        Self { mean: a * self.mean, spread: self.spread.iter().map(|c| a * c).collect() }
    }

    /// Affine if one of the two is a constant.
    fn times(&self, other: &Self) -> Self {
        match (self.constant(), other.constant()) {
            (_, Some(a)) => self.scale(a),
            (Some(a), _) => other.scale(a),
            _ => panic!("the product of two random numbers is not affine"),
        }
    }

    fn over(&self, other: &Self) -> Self {
        self.scale(1.0 / other.constant().expect("a quotient by a random number is not affine"))
    }

    fn exp(&self) -> Self {
        Self::certain(self.constant().expect("a power of a random number is not affine").exp())
    }

    fn larger(&self, _: &Self) -> Self {
        panic!("the larger of two random numbers is not affine")
    }

    fn clamp(&self, low: f64, high: f64) -> Self {
        Self::certain(self.constant().expect("a clamped random number is not affine").clamp(low, high))
    }

    /// That of infinitely many draws.
    fn rms(&self) -> Self {
        Self::certain(self.mean.hypot(self.variance().sqrt()))
    }

    fn mean(&self) -> Self {
        Self::certain(self.mean)
    }

    fn quantile_of_magnitudes(&self, _: f64) -> Self {
        Self::certain(self.constant().expect("a quantile of a random number is not affine").abs())
    }
}

/// A source whose every draw is a noise of its own. Noise 0 is the starting point's.
#[derive(Default)]
pub struct Independent {
    drawn: usize,
}

impl Noise<Affine> for Independent {
    fn normal(&mut self, _: &Affine) -> Affine {
        self.drawn += 1;
        let mut spread = vec![0.0; self.drawn + 1];
        spread[self.drawn] = 1.0;
        Affine { mean: 0.0, spread }
    }
}

/// Data that is normal with this mean and standard deviation, and its exact denoiser.
#[derive(Clone, Copy)]
pub struct Gaussian {
    pub mean: f64,
    pub std: f64,
}

impl Gaussian {
    /// Variance of the marginal `x_t`.
    pub fn variance(&self, at: Level) -> f64 {
        (at.alpha * self.std).powi(2) + at.sigma.powi(2)
    }

    /// The marginal of a level, all its spread in noise 0.
    pub fn marginal(&self, at: Level) -> Affine {
        Affine { mean: at.alpha * self.mean, spread: vec![self.variance(at).sqrt()] }
    }
}

impl Denoiser<Affine> for Gaussian {
    /// The line of regression of `x_0` on `x_t`.
    fn denoise(&self, x: &Affine, at: Level) -> Affine {
        let slope = at.alpha * self.std.powi(2) / self.variance(at);
        let mut x0 = x.scale(slope);
        x0.mean += (1.0 - slope * at.alpha) * self.mean;
        x0
    }
}
