use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::moments;
use crate::samplers::history::Form;
use crate::samplers::{Run, Steps};

/// DEIS, Zhang & Chen 2023 (arXiv 2204.13902), equations 14 and 15 in log-rho (`rho` is the noise-to-signal ratio): the
/// noise is the polynomial in `ln rho` through the last estimates, integrated exactly. Order 1 to 3, one evaluation a
/// step.
pub fn deis<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, Form::Noise, |_, z| moments(z))
}
