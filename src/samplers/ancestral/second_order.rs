use crate::math::Latent;
use crate::samplers::steps::{ancestral, ratio, renoise, slide};
use crate::samplers::{Knob, Run, Step, Steps, steps};

/// The part of the posterior's standard deviation that is fresh noise.
pub const ETA: Knob = steps::ETA;

/// A factor on the standard deviation of the fresh noise.
pub const NOISE_SCALE: Knob = steps::NOISE_SCALE.needs(&ETA);

/// DPM2 with ancestral noise, k-diffusion's DPM-Solver-2 (Lu et al. 2022, arXiv 2206.00927, algorithm 1) with the
/// ancestral noise of Song et al. 2021 (arXiv 2011.13456, appendix F). Weak order 2 on Gaussian data, two evaluations a
/// step.
pub fn dpm2_ancestral<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |r| 1.0 / r)
}

/// DPM-Solver++(2S) with ancestral noise, k-diffusion's form of Lu et al. 2022 (arXiv 2211.01095), algorithm 1 with
/// `r = 1/2`. Weak order 2 on Gaussian data, two evaluations a step.
pub fn dpmpp_2s_ancestral<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    sample(run, |_| 1.0)
}

/// A step of second order down to `kept` noise, less than `to` has, and fresh noise up to it. On its way the model is
/// asked a second time, half way down in log-SNR, where `r` of the noise-to-signal ratio is left. The step slides
/// towards `x_0 + weight(r) (x_0' - x_0)`: with weight 1 by the second estimate, with `1 / r` along the second slope.
///
/// A step that keeps no noise, to the clean end or from pure noise, has no half way: it is Euler's.
fn sample<X: Latent + 'static>(run: Run<'_, X>, weight: fn(f64) -> f64) -> Steps<'_, X> {
    let Run { start: mut x, grid, schedule, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&NOISE_SCALE));
    Box::new(grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let (kept, fresh) = ancestral(from, to, eta);
        let mut target = denoised.clone();
        // In noise-to-signal ratios: how far down, and half of it on the logarithm's scale.
        let r = if to.sigma > 0.0 { (ratio(from, to) * kept / to.sigma).sqrt() } else { 0.0 };
        if r > 0.0 {
            let halfway = schedule.level_at(r * from.nsr());
            let ahead = model.denoise(&slide(&x, &denoised, from, halfway), halfway);
            target = denoised.mix(1.0 - weight(r), &ahead, weight(r));
        }
        x = renoise(&x, &target, (from, to), (kept, fresh * scale), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
