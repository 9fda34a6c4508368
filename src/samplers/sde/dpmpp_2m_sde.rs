use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::{self, MIDPOINT};
use crate::samplers::{Run, Steps};

/// SDE-DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), section 5, with k-diffusion's `eta`: the estimate on the line
/// through the last two, taken at the middle of the step. Weak order 2, one evaluation a step.
pub fn dpmpp_2m_sde<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, 2, |_, _| MIDPOINT)
}

/// The same line, integrated exactly, which k-diffusion and diffusers call the Heun type. Weak order 2, one evaluation a
/// step.
pub fn dpmpp_2m_sde_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, 2, |_, z| coefficients::moments(z))
}
