//! Methods for models distilled to give pictures in a few steps, and methods that go over their steps again.

pub mod consistency;
pub mod repaint;
pub mod restart;
pub mod tcd;

pub use consistency::{consistency, lcm, lcm_boundary};
pub use repaint::repaint;
pub use restart::restart;
pub use tcd::tcd;

use super::Method;
use crate::math::{Latent, Level, Noise};

/// Adds noise to `x`, which stands at the end of `steps`, until it is at their beginning, and walks them by `step` again.
/// `steps` are one or more, each as (from, to), and end with noise. Returns the new point and its last estimate.
fn walk_again<X: Latent>(
    x: &X,
    steps: &[(Level, Level)],
    noise: &mut dyn Noise<X>,
    mut step: impl FnMut(&X, (Level, Level), &mut dyn Noise<X>) -> (X, X),
) -> (X, X) {
    let (top, bottom) = (steps[0].0, steps[steps.len() - 1].1);
    let keep = top.alpha / bottom.alpha;
    let fresh = (top.sigma.powi(2) - (keep * bottom.sigma).powi(2)).sqrt();
    let top = x.mix(keep, &noise.normal(x), fresh);
    let (first, rest) = (step(&top, steps[0], noise), &steps[1..]);
    rest.iter().fold(first, |(x, _), pair| step(&x, *pair, noise))
}

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            stochastic: true,
            comfyui: Some("lcm"),
            paper: "Luo et al. 2023, arXiv 2310.04378, algorithm 3, without boundary conditions",
            ..Method::new("lcm", "LCM", consistency::lcm)
        },
        Method {
            compat: true,
            stochastic: true,
            diffusers: Some("LCMScheduler"),
            paper: "Luo et al. 2023, arXiv 2310.04378, algorithm 3 and section 4.1",
            ..Method::new("lcm-boundary", "LCM (boundary conditions)", consistency::lcm_boundary)
        },
        Method {
            stochastic: true,
            noise: Some(tcd::GAMMA),
            knobs: &[tcd::GAMMA],
            diffusers: Some("TCDScheduler"),
            paper: "Zheng et al. 2024, arXiv 2402.19159, algorithm 4",
            ..Method::new("tcd", "TCD", tcd::tcd)
        },
        Method {
            stochastic: true,
            knobs: &[consistency::NOISE_SCALE],
            diffusers: Some("CMStochasticIterativeScheduler"),
            paper: "Song et al. 2023, arXiv 2303.01469, algorithm 1",
            ..Method::new("consistency", "Multistep consistency", consistency::consistency)
        },
        Method {
            order: 2,
            evaluations: 2,
            stochastic: true,
            knobs: &[restart::RESTARTS, restart::RESTART_MIN, restart::RESTART_MAX],
            paper: "Xu et al. 2023, arXiv 2306.14878, algorithm 2",
            ..Method::new("restart", "Restart", restart::restart)
        },
        Method {
            evaluations: 4,
            stochastic: true,
            knobs: &[repaint::RESAMPLES, repaint::JUMP],
            diffusers: Some("RePaintScheduler"),
            paper: "Lugmayr et al. 2022, arXiv 2201.09865, algorithm 1",
            ..Method::new("repaint", "RePaint", repaint::repaint)
        },
    ]
}
