use crate::denoise::{Denoiser, Estimate};
use crate::math::{Latent, Level};
use crate::samplers::{Step, Steps};

/// DDIM run backwards, from data to the noise that DDIM would make it of: Song et al. 2021 (arXiv 2010.02502),
/// section 4.3, equation 14 read upwards. Order 1, one evaluation a step.
///
/// Each of `steps` is (from, to) with more noise at `to`. The model is evaluated at `from` even where that is clean: its
/// [`Denoiser::estimate`] must then state a finite noise, as that of a network that predicts it does.
pub fn ddim_inverse<'a, X: Latent + 'static>(
    start: X,
    steps: &'a [(Level, Level)],
    model: &'a dyn Denoiser<X>,
) -> Steps<'a, X> {
    let mut x = start;
    Box::new(steps.iter().map(move |&(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        x = x0.mix(to.alpha, &eps, to.sigma);
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}
