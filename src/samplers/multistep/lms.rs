use super::linear::linear;
use crate::math::{Latent, Level};
use crate::samplers::coefficients::{moments, nodes, weights};
use crate::samplers::history::Form;
use crate::samplers::{Knob, Run, Steps};

/// How many estimates the polynomial goes through.
pub const ORDER: Knob = Knob::whole("order", 1, 4, 4);

/// The linear multistep method of k-diffusion (Katherine Crowson, `sample_lms`): Adams and Bashforth's on steps of any
/// length. The slope in noise-to-signal coordinates, which is the noise, is the polynomial in the noise-to-signal ratio
/// through the last estimates, integrated exactly. Order 1 to 4, one evaluation a step.
pub fn lms<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let order = run.tuning.whole(&ORDER);
    linear(run, Form::Noise, order, |levels, to| weights(&nodes(levels, (levels[0], to), Level::nsr), &moments(0.0)))
}
