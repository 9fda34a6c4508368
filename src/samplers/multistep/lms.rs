use super::linear::linear;
use crate::math::{Latent, Level};
use crate::samplers::coefficients::{moments, nodes, weights};
use crate::samplers::history::Form;
use crate::samplers::{Run, Steps};

/// The linear multistep method of k-diffusion (Katherine Crowson, `sample_lms`): Adams and Bashforth's on steps of any
/// length. The slope in noise-to-signal coordinates, which is the noise, is the polynomial in the noise-to-signal ratio
/// through the last estimates, integrated exactly. Order 1 to 4, one evaluation a step.
pub fn lms<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    linear(run, Form::Noise, |levels, to| weights(&nodes(levels, (levels[0], to), Level::nsr), &moments(0.0)))
}
