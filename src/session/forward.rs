//! The forward process on a picture, and what the network makes of it at each level.

use super::detail::{CONTRAST, rms};
use super::levels::Course;
use super::view::{View, shown};
use super::{Given, SessionError, network};
use crate::backend::{self, ImageNoise};
use crate::denoise::noised;
use crate::math::{Grid, Latent, Level, Noise, Posterior};
use crate::picture;
use crate::pipeline::Pipeline;
use crate::settings::{Guide, Settings};
use async_stream::try_stream;
use burn::tensor::Tensor;
use futures_util::Stream;

/// Levels that are visited at most: each costs an evaluation of the model.
const MOST: usize = 64;

/// A picture at one level of the forward process.
#[derive(Clone, Debug)]
pub struct Noised {
    /// 0 is the picture itself, then 1, 2, .. with more noise.
    pub step: usize,
    /// Number of the last step, where there is the most noise.
    pub steps: usize,
    pub level: Level,
    /// The level of the step before, from which the chain came here; its own at the picture itself.
    pub from: Level,
    /// The strength with which a run of these settings begins here, at this very `x`.
    pub strength: f64,
    /// `x_t = alpha_t x_0 + sigma_t eps`, with one `eps` at all levels: the one that a run of the same seed begins with.
    pub x: Vec<f32>,
    /// The chain `q(x_t | x_s)` with fresh draws at each step.
    pub chain: Vec<f32>,
    /// The network's estimate of `x_0` from `x_t`; the picture itself has none.
    pub denoised: Option<Vec<f32>>,
    /// Mean square of `eps` less the network's estimate of it: the simple loss (Ho et al. 2020, arXiv 2006.11239, equation 14).
    pub error: Option<f64>,
    pub shown: NoisedPictures,
}

/// The same as bytes `[height, width, channels]`, each point divided by its level's standard deviation; latents by the linear map.
#[derive(Clone, Debug)]
pub struct NoisedPictures {
    pub x: Vec<u8>,
    pub chain: Vec<u8>,
    pub denoised: Option<Vec<u8>>,
    /// The network's estimate of `eps`, in the contrast of [`Detail`](super::Detail).
    pub noise: Option<Vec<u8>>,
}

impl Pipeline {
    /// The forward process from the picture that is given, or that of the settings, through the levels of a run of these settings,
    /// clean first. The network is evaluated without guidance, on the label or the prompt of the run's first image. Nothing is
    /// computed ahead of the item that is awaited.
    ///
    /// # Errors
    /// There is no picture, or it is of another size; settings that do not fit the model, a grid that cannot be built; a device
    /// that failed.
    pub fn forward<'a>(
        &'a self,
        settings: &'a Settings,
        given: Given<'a>,
    ) -> impl Stream<Item = Result<Noised, SessionError>> + 'a {
        try_stream! {
            let method = settings.method().map_err(SessionError::Sampler)?;
            let course = Course::new(settings, self, &method)?;
            let given = given.or_of(settings, self)?;
            let alone = alone(settings, self);
            let view = View::new(self, &alone, &given)?;
            let picture = given.picture.as_deref().ok_or(SessionError::NoPicture)?;
            let x0 = view.encoded(picture);
            let mut draws = ImageNoise::new(settings.seed, 1);
            let eps = draws.normal(&x0);
            let model = network(self, &alone)?;
            let clean = backend::read(x0.clone()).await?;
            let mut chain = x0.clone();
            let mut from = Level::CLEAN;
            let stops = stops(&course.grid);
            let steps = stops.len();
            let shape = self.picture_of(settings);
            yield {
                let seen = picture::to_bytes(&shown(self, &alone, clean.clone()).await?, shape, self.card.range);
                let shown = NoisedPictures { x: seen.clone(), chain: seen, denoised: None, noise: None };
                let (x, chain) = (clean.clone(), clean.clone());
                Noised { step: 0, steps, level: from, from, strength: 0.0, x, chain, denoised: None, error: None, shown }
            };
            for (i, (level, strength)) in stops.into_iter().enumerate() {
                if let Some(step) = Posterior::new(level, from) {
                    let fresh = draws.normal(&chain);
                    chain = chain.mix(step.forward_scale(), &fresh, step.forward_variance().sqrt());
                }
                let x = noised(&x0, &eps, level);
                let estimate = model.denoise(&x, level);
                let values = backend::read(Tensor::cat(vec![x, chain.clone(), estimate], 0)).await?;
                let [x, chained, denoised] = thirds(values);
                let noise = eps_of(&x, &denoised, level);
                let missed: Vec<f64> = eps_of(&x, &clean, level).iter().zip(&noise).map(|(a, b)| f64::from(a - b)).collect();
                let std = level.marginal_std() as f32;
                let scaled = |values: &[f32]| values.iter().map(|v| v / std).collect();
                let mut seen = Vec::new();
                for (values, range) in [
                    (scaled(&x), self.card.range),
                    (scaled(&chained), self.card.range),
                    (denoised.clone(), self.card.range),
                    (noise, CONTRAST),
                ] {
                    seen.push(picture::to_bytes(&shown(self, &alone, values).await?, shape, range));
                }
                let noise = seen.pop();
                let denoised_seen = seen.pop();
                let [x_seen, chain_seen] = [0, 1].map(|i| std::mem::take(&mut seen[i]));
                let shown = NoisedPictures { x: x_seen, chain: chain_seen, denoised: denoised_seen, noise };
                let error = Some(rms(&missed).powi(2));
                yield Noised { step: i + 1, steps, level, from, strength, x, chain: chained, denoised: Some(denoised), error, shown };
                from = level;
            }
        }
    }
}

/// The settings of the first image alone, without guidance, where that is not a part of the network.
fn alone(settings: &Settings, model: &Pipeline) -> Settings {
    let guidance = if model.network.embeds_guidance() { settings.guidance } else { 1.0 };
    Settings { images: 1, guidance, guide: Guide::Cfg, rescale: 0.0, classifier: 0.0, ..settings.clone() }
}

/// The noisy levels of a grid, the least noisy first, each with the strength that begins there; evenly chosen of many.
fn stops(grid: &Grid) -> Vec<(Level, f64)> {
    let all = grid.steps();
    let every = all.div_ceil(MOST);
    let from: Vec<Level> = grid.pairs().map(|(from, _)| from).collect();
    // The noisiest level is one of them.
    let counts = (1..=all).filter(|left| (all - left).is_multiple_of(every));
    counts.map(|left| (from[all - left], share(left, all))).collect()
}

/// The strength of which so many of all steps are left, which rounding must not lessen.
fn share(left: usize, all: usize) -> f64 {
    let share = left as f64 / all as f64;
    if ((share * all as f64) as usize) < left { share.next_up() } else { share }
}

/// `eps = (x_t - alpha x_0) / sigma`.
fn eps_of(x: &[f32], x0: &[f32], Level { alpha, sigma, .. }: Level) -> Vec<f32> {
    x.iter().zip(x0).map(|(x, x0)| ((f64::from(*x) - alpha * f64::from(*x0)) / sigma) as f32).collect()
}

/// Three tensors that were read as one.
fn thirds(mut values: Vec<f32>) -> [Vec<f32>; 3] {
    let size = values.len() / 3;
    let third = values.split_off(2 * size);
    let second = values.split_off(size);
    [values, second, third]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denoise::last_share;
    use crate::math::{ContinuousVp, Spacing};

    /// Whatever the number of steps, the strength of a level begins the run there and nowhere else.
    #[test]
    fn a_strength_begins_at_its_level() {
        let schedule = ContinuousVp::default();
        for steps in [1, 2, 3, 7, 10, 49, 64, 65, 200, 1000] {
            let grid = Spacing::Trailing.grid(&schedule, steps).unwrap();
            let stops = stops(&grid);
            assert!(stops.len() <= MOST, "{steps}");
            assert_eq!(stops.last().map(|(level, strength)| (*level, *strength)), Some((grid.first(), 1.0)), "{steps}");
            for (level, strength) in stops {
                assert_eq!(last_share(&grid, strength).unwrap().first(), level, "{steps} {strength}");
            }
        }
    }
}
