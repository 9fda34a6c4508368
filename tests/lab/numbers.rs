//! The numbers of the laboratory against what is known.

use super::run::{distribution, pane, process};
use pollster::block_on;
use unnoise::lab::numbers::{Accuracy, bound, inversion, likelihood, within};
use unnoise::lab::process::Kind;
use unnoise::lab::run::Stage;

#[test]
fn the_ode_finds_the_likelihood_of_the_law() {
    for kind in [Kind::Linear, Kind::VarianceExploding, Kind::Flow] {
        let (distribution, process) = (distribution("four-gaussians"), process(kind));
        for point in [[2.0, 2.0], [0.0, 0.0], [-3.1, 1.2], [0.5, -2.5]] {
            let known =
                likelihood((&distribution, &process), distribution.mixture(), point, Accuracy::EXACT).expect("an end");
            assert!((known.ode - known.analytic).abs() < 1e-3, "{point:?} in {kind:?}: {known:?}");
            assert!(known.nfe > 10);
        }
    }
}

/// The bound is above what it bounds, and the more steps it has, the less.
#[test]
fn the_bound_is_above_and_comes_nearer() {
    let (distribution, process) = (distribution("four-gaussians"), process(Kind::Linear));
    let points = distribution.draw(200, 1).x;
    let gap = |steps| {
        let terms = bound((&distribution, &process), distribution.mixture(), &points, steps, 4).expect("a grid");
        assert_eq!(terms.terms.len(), steps + 1);
        terms.terms.iter().sum::<f64>() - terms.nll
    };
    let gaps = [1, 10, 100].map(gap);
    assert!(gaps.windows(2).all(|w| w[1] < 0.3 * w[0]) && gaps[2] > 0.0 && gaps[2] < 0.15, "{gaps:?}");
}

#[test]
fn a_race_is_run_within_its_evaluations() {
    let process = process(Kind::Linear);
    let steps = |sampler: &str, evaluations| within(&pane(sampler, 20), &process, evaluations).map(|pane| pane.steps);
    assert_eq!(steps("ddim", 10), Some(10));
    assert_eq!(steps("langevin", 50), Some(50));
    // Two evaluations a step, but one in the last.
    assert_eq!(steps("ode", 10), Some(5));
    assert_eq!(steps("dopri5", 100), None);
}

#[test]
fn the_ode_comes_back_and_noise_does_not() {
    let (distribution, process) = (distribution("four-gaussians"), process(Kind::Linear));
    let stage = Stage { distribution: &distribution, process: &process, model: distribution.mixture(), seed: 3 };
    let points = distribution.draw(50, 1).x;
    let trip = |sampler, steps| block_on(inversion(&stage, &pane(sampler, steps), &points)).expect("it runs");
    let (coarse, fine, noisy) = (trip("ode", 25), trip("ode", 200), trip("ddpm", 50));
    assert!(fine.mean < 0.02 && fine.mean < 0.2 * coarse.mean, "{coarse:?}, {fine:?}");
    assert!(noisy.mean > 1.0 && noisy.most >= noisy.mean, "{noisy:?}");
    assert!(fine.nfe > 2 * 200, "{fine:?}");
}
