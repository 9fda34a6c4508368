use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::{MIDPOINT, differences};
use crate::samplers::history::Form;
use crate::samplers::{Knob, Run, Steps};

/// How many estimates a step is built on.
pub const ORDER: Knob = Knob::whole("order", 1, 3, 2);

/// The multistep DPM-Solver, Lu et al. 2022 (arXiv 2206.00927), equation 3.6 with the derivatives of the noise taken from
/// the last estimates; at order 2 from the line's value at the middle of the step. One evaluation a step.
///
/// Order 1 and 2 are what they say. The formula of order 3, as the authors' code and diffusers have it, gives the
/// parabola's bend half the weight of the exact solution: its error is smaller, and of order 2.
pub fn dpm_solver<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let order = run.tuning.whole(&ORDER);
    exponential(run, Form::Noise, order, |estimates, z| if estimates < 3 { MIDPOINT } else { differences(z) })
}

/// The multistep DPM-Solver whose line at order 2 is integrated exactly (diffusers' "heun"). One evaluation a step.
pub fn dpm_solver_heun<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let order = run.tuning.whole(&ORDER);
    exponential(run, Form::Noise, order, |_, z| differences(z))
}
