use super::{ETA, ETA_SCALE};
use crate::denoise::Estimate;
use crate::math::Latent;
use crate::samplers::{Run, Step, Steps};

/// The SDE of a straight path by the Euler-Maruyama method, Ma et al. 2024 (SiT, arXiv 2401.08740), equation 5 with the
/// diffusion coefficient `w = eta t`. Weak order 1, one evaluation a step.
///
/// Any process becomes the straight path `z = (1 - t) x_0 + t eps` by `z = x / (alpha + sigma)` and
/// `t = sigma / (alpha + sigma)`. There the velocity is `eps - x_0` and the score `-eps / t`, and the SDE
/// `dz = (velocity - w score / 2) dt + sqrt(w) dw`. The last step, to the clean end, is that to the estimate, as the
/// paper's last step is one without noise.
pub fn flow_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let Run { start: mut x, grid, model, noise, tuning, .. } = run;
    let (eta, scale) = (tuning.get(&ETA), tuning.get(&ETA_SCALE));
    Box::new(grid.pairs().map(move |(from, to)| {
        let Estimate { x0, eps, .. } = model.estimate(&x, from);
        let (width, next_width) = (from.alpha + from.sigma, to.alpha + to.sigma);
        let (t, next) = (from.sigma / width, to.sigma / next_width);
        // As if x_0 and eps stayed what they are, and more of eps gone for the noise that comes.
        let back = t - next;
        x = x0.scale(to.alpha);
        if to.sigma > 0.0 {
            x = x.mix(1.0, &eps, to.sigma - next_width * 0.5 * eta * back);
            if eta > 0.0 {
                let fresh = next_width * (eta * t * back).sqrt() * scale;
                x = x.mix(1.0, &noise.over(&x, from, to), fresh);
            }
        }
        Step { x: x.clone(), denoised: x0, from, to }
    }))
}
