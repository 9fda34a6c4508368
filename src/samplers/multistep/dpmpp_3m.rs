use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::{MIDPOINT, differences};
use crate::samplers::history::Form;
use crate::samplers::{Run, Steps};

/// DPM-Solver++(3M), Lu et al. 2022 (arXiv 2211.01095), in the form of the authors' code, k-diffusion and diffusers: the
/// parabola through the last three estimates of the data. One evaluation a step.
///
/// That form gives the parabola's bend half the weight that the exact solution has, so that a smaller error than
/// DPM-Solver++(2M)'s remains, of the same order 2.
pub fn dpmpp_3m<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, Form::Data, 3, |estimates, z| if estimates < 3 { MIDPOINT } else { differences(z) })
}

/// DPM-Solver++(3M) whose steps of order 2, at the start and at the end, integrate their line exactly (diffusers'
/// "heun"). Order 2, one evaluation a step.
pub fn dpmpp_3m_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, Form::Data, 3, |_, z| differences(z))
}
