//! Starting from a picture, and painting over a part of one.

use super::{LEVELS, Point, X, end_of, level, near};
use unnoise::denoise::{Denoiser, Inpainted, last_share, noised};
use unnoise::math::{Grid, Latent, Level};

fn grid(steps: usize) -> Grid {
    let level = |i: usize| Level::variance_exploding(0.0, 50.0 * (1.0 - i as f64 / steps as f64).powi(3));
    Grid::new((0..=steps).map(level).collect()).expect("falling")
}

#[test]
fn strength_is_the_share_of_the_steps_that_are_walked() {
    let whole = grid(50);
    assert_eq!(last_share(&whole, 1.0), Some(whole.clone()));
    assert_eq!(last_share(&whole, 0.0), None);
    assert_eq!(last_share(&whole, 0.01), None);
    // diffusers: int(50 * 0.75) steps, the last of them.
    let part = last_share(&whole, 0.75).expect("steps");
    assert_eq!((part.steps(), part.levels()), (37, whole.levels()[13..].to_vec()));
    assert_eq!(noised(&[2.0], &[-1.0], Level { t: 0.0, alpha: 0.5, sigma: 0.25 }), [0.75]);
}

/// Two numbers that are normal with variance 1 and correlation `RHO`, and their exact denoiser,
/// `x_0 = alpha C (alpha^2 C + sigma^2)^-1 x`.
struct Correlated;

const RHO: f64 = 0.8;

impl Denoiser<Point> for Correlated {
    fn denoise(&self, x: &Point, Level { alpha, sigma, .. }: Level) -> Point {
        let (a, b) = (alpha * alpha + sigma * sigma, alpha * alpha * RHO);
        let solved = [a * x[0] - b * x[1], a * x[1] - b * x[0]].map(|v| v / (a * a - b * b));
        [solved[0] + RHO * solved[1], solved[1] + RHO * solved[0]].scale(alpha)
    }
}

const KNOWN: f64 = 1.3;

fn inpainted(noise: f64) -> Inpainted<Correlated, Point> {
    Inpainted::new(Correlated, [KNOWN, 9.0], [1.0, 0.0], [noise, 5.0])
}

#[test]
fn the_known_part_is_what_it_is_and_the_rest_is_the_models() {
    let at = level(LEVELS[0]);
    let model = inpainted(-0.6);
    let replaced = [at.alpha * KNOWN - at.sigma * 0.6, X[1]];
    let own = Correlated.estimate(&replaced, at);
    assert_eq!(model.denoise(&X, at), [KNOWN, own.x0[1]]);
    let said = model.estimate(&X, at);
    assert_eq!((said.x0, said.eps), ([KNOWN, own.x0[1]], [-0.6, own.eps[1]]));
    let half = Inpainted::new(Correlated, [KNOWN, 9.0], [1.0, 0.25], [-0.6, 0.0]);
    let replaced = [replaced[0], 0.25 * at.alpha * 9.0 + 0.75 * X[1]];
    near(half.denoise(&X, at), [KNOWN, 0.25 * 9.0 + 0.75 * Correlated.denoise(&replaced, at)[1]], 1e-15);
}

#[test]
fn every_sampler_ends_on_the_known_part_exactly() {
    let model = inpainted(0.7);
    for sampler in ["euler", "ddim", "heun", "dpmpp-2m", "ddpm", "euler-ancestral", "dpmpp-2m-sde", "langevin"] {
        let [known, painted] = end_of(sampler, &model, [40.0, -20.0], &grid(20));
        assert_eq!(known, KNOWN, "{sampler}");
        assert!(painted.is_finite() && painted != 9.0, "{sampler}: {painted}");
    }
}

/// At every level the rest is guided to the conditional mean of `x_t`'s rest given `x_t`'s known part: for normal data
/// `alpha^2 rho / (alpha^2 + sigma^2)` times that part, and so to `rho` times the known number at the clean end.
#[test]
fn the_rest_is_led_to_its_conditional_mean() {
    for at in [(0.8, 0.6), (0.3, 0.7), (1.0, 0.01), (1.0, 1e-4)].map(level) {
        let (noise, model) = (-0.6, inpainted(-0.6));
        let replaced = at.alpha * KNOWN + at.sigma * noise;
        let mean = at.alpha.powi(2) * RHO / (at.alpha.powi(2) + at.sigma.powi(2)) * replaced;
        // There the score, (alpha x_0 - x) / sigma^2, is 0; on its two sides it points back.
        let pull =
            |offset: f64| (at.alpha * model.denoise(&[99.0, mean + offset], at)[1] - mean - offset) / at.sigma.powi(2);
        assert!(pull(0.0).abs() < 1e-14 / at.sigma.powi(2), "{at:?}: {}", pull(0.0));
        assert!(pull(0.1) < 0.0 && pull(-0.1) > 0.0, "{at:?}");
    }
}

/// One run of the probability flow does not get all the way. Its mean is the trajectory without any noise, as it is linear,
/// and with `s = 1 + sigma^2` it obeys `dm / ds = (s m - rho a) / 2 (s^2 - rho^2)`. From 0 at infinity that solves to
/// `m(1) = rho a (1 - rho^2)^(1/4) / 2` times the integral of `(s^2 - rho^2)^(-5/4)` from 1 to infinity.
#[test]
fn one_walk_falls_short_of_the_conditional_mean_as_far_as_it_must() {
    const CELLS: usize = 100_000;
    // In u = 1 / s the integral is over 0..1; by midpoints, whose error is of second order.
    let cell = |i: usize| {
        let u = (i as f64 + 0.5) / CELLS as f64;
        (u.powi(-2) - RHO * RHO).powf(-1.25) / (u * u)
    };
    let integral = (0..CELLS).map(cell).sum::<f64>() / CELLS as f64;
    let mean = 0.5 * RHO * KNOWN * (1.0 - RHO * RHO).powf(0.25) * integral;
    let [_, painted] = end_of("heun", &inpainted(0.0), [KNOWN, 0.0], &grid(400));
    // Heun's error falls to a quarter with twice the steps: 2.7e-4 in 100, 6.2e-5 in 200, 1.4e-5 here. Starting at sigma
    // 50 instead of infinity leaves out another 2e-6.
    assert!((painted - mean).abs() < 2e-5, "{painted} is not {mean}");
    assert!(mean < 0.9 * RHO * KNOWN);
}
