use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::{MIDPOINT, moments};
use crate::samplers::history::Form;
use crate::samplers::{Run, Steps};

/// DPM-Solver++(2M), Lu et al. 2022 (arXiv 2211.01095), algorithm 2: the estimate of the data on the line through the
/// last two, taken at the middle of the step. Order 2, one evaluation a step.
///
/// A last step to the clean end is of order 1, in k-diffusion and diffusers alike. On grids that stop short of it every
/// step is of order 2, as in k-diffusion and the paper; diffusers' `lower_order_final` would lower the last one there
/// when the run has fewer than 15 steps.
pub fn dpmpp_2m<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, Form::Data, 2, |_, _| MIDPOINT)
}

/// The same line, integrated exactly: the other second-order rule of Lu et al. 2022 (arXiv 2211.01095), which diffusers
/// calls "heun". Order 2, one evaluation a step.
///
/// It is also the multistep Refined Exponential Solver of Zhang et al. 2023 (arXiv 2308.02157) without noise, ComfyUI's
/// `res_multistep`.
pub fn dpmpp_2m_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, Form::Data, 2, |_, z| moments(z))
}
