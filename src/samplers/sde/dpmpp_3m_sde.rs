use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::{MIDPOINT, differences};
use crate::samplers::{Run, Steps};

/// SDE-DPM-Solver++(3M), k-diffusion's third-order form of Lu et al. 2022 (arXiv 2211.01095), section 5. Weak order 2,
/// one evaluation a step.
pub fn dpmpp_3m_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, 3, |_, z| differences(z))
}

/// The same as diffusers writes it: steps of order 2 by the midpoint rule, and in those of order 3 one sign turned in the
/// curvature's coefficient, so that the noise of earlier steps enters again. It cancels where neighbouring steps are equal
/// in log-SNR, and leaves order 1; elsewhere the spread stays wrong by a tenth in however many steps. It is here so that
/// pictures made with it can be made again.
pub fn dpmpp_3m_sde_diffusers<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, 3, |count, z| match differences(z) {
        [constant, slope, curve, third, fourth] if count == 3 => {
            [constant, slope, curve + 1.0 / z.exp_m1(), third, fourth]
        }
        _ => MIDPOINT,
    })
}
