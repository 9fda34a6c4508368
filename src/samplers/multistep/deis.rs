use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::moments;
use crate::samplers::history::Form;
use crate::samplers::{Knob, Run, Steps};

/// How many estimates the polynomial goes through.
pub const ORDER: Knob = Knob::whole("order", 1, 3, 2);

/// DEIS, Zhang & Chen 2023 (arXiv 2204.13902), equations 14 and 15 in log-rho (`rho` is the noise-to-signal ratio): the
/// noise is the polynomial in `ln rho` through the last estimates, integrated exactly. Order 1 to 3, one evaluation a
/// step.
pub fn deis<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let order = run.tuning.whole(&ORDER);
    exponential(run, Form::Noise, order, |_, z| moments(z))
}
