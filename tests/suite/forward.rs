//! The forward process on a picture, and what a step does beside its posterior.
#![cfg(all(feature = "cpu", feature = "autodiff"))]

use crate::selftest::model;
use futures_util::TryStreamExt;
use pollster::block_on;
use unnoise::eval::{Decoder, Variance, term};
use unnoise::math::{Level, TorchGenerator};
use unnoise::picture;
use unnoise::session::{Detail, Frame, Given, Noised, SessionError};
use unnoise::settings::{Class, Settings};

const SIDE: usize = 12;
const N: usize = SIDE * SIDE;

fn values() -> Vec<f32> {
    let pixels: Vec<u8> = (0..N).map(|p| (p * 7 % 256) as u8).collect();
    picture::from_bytes(&pixels, [1, SIDE, SIDE], [-1.0, 1.0])
}

fn given() -> Given<'static> {
    Given { picture: Some(values()), ..Given::default() }
}

fn settings(sampler: &str) -> Settings {
    Settings { sampler: sampler.into(), steps: 7, images: 2, seed: 5, class: Class::One(1), ..Settings::default() }
}

fn forward(settings: &Settings) -> Vec<Noised> {
    block_on(model().forward(settings, given()).try_collect()).unwrap()
}

fn run(settings: &Settings, given: Given) -> Vec<Frame> {
    block_on(model().frames(settings, given).try_collect()).unwrap()
}

#[test]
fn a_point_is_the_closed_form_with_the_noise_of_the_seed() {
    let eps = TorchGenerator::new(5).randn(N);
    let levels = forward(&settings("ddim"));
    assert_eq!(levels.len(), 8);
    assert_eq!((levels[0].level, &levels[0].x), (Level::CLEAN, &values()));
    for noised in &levels[1..] {
        let Level { alpha, sigma, .. } = noised.level;
        for ((x, x0), eps) in noised.x.iter().zip(values()).zip(&eps) {
            // In single precision, as the tensors of the run.
            assert!((x - (alpha as f32 * x0 + sigma as f32 * eps)).abs() < 1e-6);
        }
    }
}

/// `x_t = scale x_s + std z` with the draws that follow the first one, and so the same marginals: the variance about
/// `alpha x_0` is `sigma^2`, within four standard errors of a variance of as many values.
#[test]
fn the_chain_steps_with_draws_of_its_own() {
    let levels = forward(&settings("ddim"));
    let mut generator = TorchGenerator::new(5);
    let _ = generator.randn(N);
    for pair in levels.windows(2) {
        let (from, to) = (pair[0].level, pair[1].level);
        let scale = to.alpha / from.alpha;
        let std = (to.sigma.powi(2) - (scale * from.sigma).powi(2)).sqrt();
        let draws = generator.randn(N);
        let mut square = 0.0;
        for (i, (before, after)) in pair[0].chain.iter().zip(&pair[1].chain).enumerate() {
            let expected = scale * f64::from(*before) + std * f64::from(draws[i]);
            assert!((f64::from(*after) - expected).abs() < 1e-5);
            square += (f64::from(*after) - to.alpha * f64::from(values()[i])).powi(2);
        }
        let variance = square / N as f64 / to.sigma.powi(2);
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / N as f64).sqrt(), "{variance}");
        assert_ne!(pair[1].x, pair[1].chain);
    }
}

/// A run with the strength of a level begins at its very point, and its first estimate is the one that was shown there.
#[test]
fn the_reverse_run_begins_where_the_forward_process_is() {
    // Without guidance, as the network is asked on the way forward.
    let settings = Settings { guidance: 1.0, images: 1, ..settings("ddim") };
    let levels = forward(&settings);
    for noised in &levels[1..7] {
        let back = run(&Settings { strength: noised.strength, ..settings.clone() }, given());
        assert_eq!(back[0].x, noised.x, "step {}", noised.step);
        assert_eq!(back[0].level, noised.level);
        assert_eq!(back.len(), noised.step + 1);
        assert_eq!(back[1].denoised, noised.denoised);
    }
    let whole = levels.last().unwrap();
    assert_eq!((whole.strength, whole.step), (1.0, 7));
}

#[test]
fn the_network_s_noise_misses_by_what_its_estimate_misses() {
    let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
    let decoder = Decoder::Pixels { range: [-1.0, 1.0] };
    let mut sum = 0.0;
    for noised in &forward(&settings("ddim"))[1..] {
        let Level { alpha, sigma, .. } = noised.level;
        let denoised = wide(noised.denoised.as_deref().unwrap());
        let square: f64 = denoised.iter().zip(wide(&values())).map(|(a, b)| (a - b).powi(2)).sum();
        let error = (alpha / sigma).powi(2) * square / N as f64;
        assert!((noised.error.unwrap() - error).abs() < 1e-4 * error.max(1e-2), "{:?} {error}", noised.error);
        let pair = (noised.level, noised.from);
        sum += term(pair, (&wide(&values()), &denoised), (Variance::Small, decoder));
    }
    assert!(sum.is_finite() && sum > 0.0);
}

#[test]
fn a_way_of_many_steps_is_thinned() {
    let levels = forward(&Settings { steps: 200, ..settings("ddim") });
    assert_eq!(levels.len(), 51);
    assert_eq!(levels.last().unwrap().strength, 1.0);
}

#[test]
fn without_a_picture_there_is_nothing_to_noise() {
    let (model, settings) = (model(), settings("ddim"));
    let none = block_on(model.forward(&settings, Given::default()).try_collect::<Vec<_>>());
    assert!(matches!(none, Err(SessionError::NoPicture)));
}

fn details(settings: &Settings) -> (Vec<Frame>, Vec<Detail>) {
    let (model, frames) = (model(), run(settings, Given::default()));
    let detail = |pair: &[Frame]| block_on(model.detail(settings, &pair[0], &pair[1])).unwrap();
    let details = frames.windows(2).map(detail).collect();
    (frames, details)
}

/// DDIM keeps all of its noise: from the posterior's mean `alpha_s x_0 + r sigma_s eps` it lies
/// `(1 - r) sigma_s / sqrt(beta-tilde) = sqrt((1 - r) / (1 + r))` standard deviations along the noise that it found.
#[test]
fn ddim_lies_along_its_noise_within_the_posterior() {
    let (frames, details) = details(&settings("ddim"));
    for (pair, detail) in frames.windows(2).zip(&details).take(6) {
        let r = pair[1].level.nsr() / pair[0].level.nsr();
        for numbers in &detail.numbers {
            let expected = ((1.0 - r) / (1.0 + r)).sqrt() * numbers.noise.unwrap();
            assert!((numbers.distance.unwrap() - expected).abs() < 1e-4, "{numbers:?} {expected}");
            assert!(numbers.along.unwrap() > 0.9999, "{numbers:?}");
        }
    }
    let last = details.last().unwrap().numbers[0];
    assert_eq!((last.variance, last.distance, last.along), (Some(0.0), None, None));
    assert_eq!(details[0].numbers[0].change, None);
    assert!(details[1].numbers[1].change.unwrap() > 0.0);
}

/// DDPM draws from the posterior: one standard deviation away, within four standard errors, and in no direction of its own.
#[test]
fn ddpm_draws_from_the_posterior() {
    let (frames, details) = details(&settings("ddpm"));
    let error = 4.0 / (N as f64).sqrt();
    for (pair, detail) in frames.windows(2).zip(&details).take(6) {
        let (t, s) = (pair[0].level, pair[1].level);
        for numbers in &detail.numbers {
            assert!((numbers.distance.unwrap() - 1.0).abs() < error, "{numbers:?}");
            assert!(numbers.along.unwrap().abs() < error, "{numbers:?}");
            let fresh = 1.0 - (s.nsr() / t.nsr()).powi(2);
            assert_eq!(numbers.variance, Some(s.sigma * s.sigma * fresh));
            assert_eq!(numbers.forward_variance, Some(t.sigma * t.sigma * fresh));
        }
    }
}

/// The last step of every sampler here ends on its estimate, which is also the posterior's mean.
#[test]
fn the_posterior_s_mean_ends_on_the_estimate() {
    let (frames, details) = details(&settings("ddpm"));
    let ended = frames.last().unwrap().pixels([1, SIDE, SIDE], [-1.0, 1.0]).0;
    assert_eq!(details.last().unwrap().mean, ended);
    assert_eq!(details[0].noise.len(), 2 * N);
}
