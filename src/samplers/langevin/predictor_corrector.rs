use crate::math::Latent;
use crate::samplers::steps::{ratio, renoise};
use crate::samplers::{Knob, Run, Step, Steps};

/// The least norm of a score at unit variance. One that is lost in rounding would make an infinite step.
const LEAST_SCORE: f64 = 1e-6;

/// Signal-to-noise ratio of a correction's step (`r` in algorithms 4 and 5).
pub const SNR: Knob = Knob::number("snr", 0.001, 1.0, 0.16);

/// `M` of the algorithms: the corrections at each level.
pub const LANGEVIN_STEPS: Knob = Knob::whole("langevin-steps", 1, 100, 1).formerly("inner");

/// Predictor-corrector sampling, Song et al. 2021 (arXiv 2011.13456), algorithms 2 to 5: at each level Langevin steps
/// correct the law, then a reverse-diffusion step predicts the next level. The signal-to-noise ratio of a correction
/// is [`SNR`], their number [`LANGEVIN_STEPS`]. Weak order 1,
/// one evaluation more than there are corrections.
///
/// In a variance-exploding process this is algorithms 2 and 4. Elsewhere the predictor's mean is DDPM's, which is
/// algorithm 3's to first order in `beta` and, unlike it, is the estimate at the clean end.
///
/// A correction settles on a law that is wider than the marginal: of `1 + snr^2` times the variance, if it is Gaussian.
pub fn predictor_corrector<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let (snr, corrections) = (tuning.get(&SNR), tuning.whole(&LANGEVIN_STEPS));
    Box::new(grid.pairs().map(move |(from, to)| {
        for _ in 0..corrections {
            let x0 = model.denoise(&x, from);
            let score = x0.mix(from.alpha / from.sigma.powi(2), &x, -from.sigma.powi(-2));
            let z = noise.normal(&x);
            // sqrt(epsilon / 2), for the step size epsilon = 2 alpha_i (snr |z| / |score|)^2.
            let norm = score.rms().clamp(LEAST_SCORE / from.marginal_std(), f64::INFINITY);
            let size = z.rms().over(&norm).scale(snr * from.alpha / to.alpha);
            x = x.mix(1.0, &size.times(&size.times(&score).mix(1.0, &z, 1.0)), 2.0);
        }
        let denoised = model.denoise(&x, from);
        let r = ratio(from, to);
        // As in the paper, the last step leaves its noise away.
        let fresh = if to.sigma > 0.0 { from.sigma * (1.0 - r * r).sqrt() } else { 0.0 };
        x = renoise(&x, &denoised, (from, to), (r * to.sigma, fresh), noise);
        Step { x: x.clone(), denoised, from, to }
    }))
}
