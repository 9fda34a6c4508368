use super::linear::exponential;
use crate::math::Latent;
use crate::samplers::coefficients::moments;
use crate::samplers::history::Form;
use crate::samplers::{Run, Steps};

/// The multistep Refined Exponential Solver, Zhang et al. 2023 (arXiv 2308.02157), without its noise: the
/// estimate of the data is the line in log-SNR through the last two, integrated exactly. Order 2, one evaluation a step.
///
/// That is the walk of DPM-Solver++(2M) with its "heun" rule, found on another road and known by both names.
pub fn res_multistep<X: Latent + 'static>(run: Run<'_, X>) -> Steps<'_, X> {
    exponential(run, Form::Data, 2, |_, z| moments(z))
}
