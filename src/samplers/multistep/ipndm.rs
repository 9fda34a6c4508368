use super::linear::linear;
use crate::math::Latent;
use crate::samplers::coefficients::adams_bashforth;
use crate::samplers::history::Form;
use crate::samplers::{Knob, Run, Steps};

/// How many estimates a step is built on.
pub const ORDER: Knob = Knob::whole("order", 1, 4, 4);

/// iPNDM, the improved PNDM of Zhang & Chen 2023 (arXiv 2204.13902): PNDM (Liu et al. 2022, arXiv 2202.09778) whose first
/// steps are of the orders that its memory allows. One evaluation a step.
///
/// The weights are Adams and Bashforth's constants: the noise is a polynomial through estimates that stand equally far
/// apart in the noise-to-signal ratio, whether they do or not. So the order is at most 2.
pub fn ipndm<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    let order = run.tuning.whole(&ORDER);
    linear(run, Form::Noise, order, |levels, _| adams_bashforth(levels.len()))
}
