//! What a step did, beside the posterior of the forward process that it stands for.

use super::view::shown;
use super::{Frame, SessionError};
use crate::math::Posterior;
use crate::picture;
use crate::pipeline::Pipeline;
use crate::settings::Settings;

/// What lies between two neighbouring frames of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// `eps = (x_t - alpha_t x_0) / sigma_t` of the estimate of `x_0`, as bytes `[images, height, width, channels]`: 0 is grey, and
    /// 1 as bright as a picture can be.
    pub noise: Vec<u8>,
    /// The mean of the posterior `q(x_s | x_t, x_0)`, divided by its level's standard deviation as the points of frames are.
    pub mean: Vec<u8>,
    /// Of each image.
    pub numbers: Vec<StepNumbers>,
}

/// A step from `x_t` to `x_s` in numbers, for one image. What a step has not is `None`: one that does not lead to less noise has
/// no posterior, and the first has no estimate before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepNumbers {
    /// Root mean square of `eps`.
    pub noise: Option<f64>,
    /// Root mean square of how far the estimate of `x_0` has moved since the step before.
    pub change: Option<f64>,
    /// `beta` of the forward process from `s` to `t`.
    pub forward_variance: Option<f64>,
    /// `beta-tilde`, the variance of the posterior.
    pub variance: Option<f64>,
    /// Root mean square of `x_s - mu-tilde` in standard deviations of the posterior: 1 for a draw from it.
    pub distance: Option<f64>,
    /// The cosine between `x_s - mu-tilde` and `eps`: 1 where the sampler adds the noise that it found, about 0 where it adds fresh
    /// noise.
    pub along: Option<f64>,
}

impl Pipeline {
    /// What the step from one frame of a run of these settings to the next one did.
    ///
    /// # Errors
    /// The device failed.
    pub async fn detail(&self, settings: &Settings, before: &Frame, after: &Frame) -> Result<Detail, SessionError> {
        let size: usize = self.shape_of(settings).iter().product();
        let estimates = after.denoised.as_deref().unwrap_or(&after.x);
        let (mut noise, mut mean, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for image in 0..after.x.len() / size {
            let of = |values: &[f32]| -> Vec<f64> {
                values[image * size..(image + 1) * size].iter().map(|v| f64::from(*v)).collect()
            };
            let (t, s) = (before.levels[image], after.levels[image]);
            let (xt, xs, x0) = (of(&before.x), of(&after.x), of(estimates));
            let eps: Option<Vec<f64>> =
                (t.sigma > 0.0).then(|| xt.iter().zip(&x0).map(|(x, x0)| (x - t.alpha * x0) / t.sigma).collect());
            let posterior = Posterior::new(t, s);
            let (of_x, of_x0) = posterior.map_or((0.0, s.alpha), |posterior| posterior.mean());
            let mu: Vec<f64> = xt.iter().zip(&x0).map(|(x, x0)| of_x * x + of_x0 * x0).collect();
            let off: Vec<f64> = xs.iter().zip(&mu).map(|(x, mu)| x - mu).collect();
            let variance = posterior.map(|posterior| posterior.variance());
            let drawn = variance.filter(|variance| *variance > 0.0);
            let moved =
                before.denoised.as_deref().map(|earlier| of(earlier).iter().zip(&x0).map(|(a, b)| b - a).collect());
            numbers.push(StepNumbers {
                noise: eps.as_deref().map(rms),
                change: moved.map(|moved: Vec<f64>| rms(&moved)),
                forward_variance: posterior.map(|posterior| posterior.forward_variance()),
                variance,
                distance: drawn.map(|variance| rms(&off) / variance.sqrt()),
                along: drawn.and(eps.as_deref()).and_then(|eps| cosine(&off, eps)),
            });
            let std = s.marginal_std();
            noise.extend(eps.unwrap_or_else(|| vec![0.0; size]).into_iter().map(|v| v as f32));
            mean.extend(mu.into_iter().map(|v| (v / std) as f32));
        }
        let shape = self.picture_of(settings);
        Ok(Detail {
            noise: picture::to_bytes(&shown(self, settings, noise).await?, shape, CONTRAST),
            mean: picture::to_bytes(&shown(self, settings, mean).await?, shape, self.card.range),
            numbers,
        })
    }
}

/// The values of noise that are black and white.
pub(super) const CONTRAST: [f64; 2] = [-1.0, 1.0];

pub(super) fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}

/// `None` where one of them has no direction.
fn cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    let norm = rms(a) * rms(b) * a.len() as f64;
    (norm > 0.0).then(|| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / norm)
}
