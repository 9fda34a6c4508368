//! Langevin dynamics: many small noisy moves uphill in likelihood.

mod annealed;
mod predictor_corrector;

use super::table::Method;
use super::{Knob, Tuning};
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            stochastic: true,
            evaluations: 5,
            knobs: &[Knob::Inner, Knob::StepSize, Knob::Temperature],
            tuning: Tuning { inner: 5, ..Tuning::DEFAULT },
            paper: "Song & Ermon 2019, arXiv 1907.05600, algorithm 1",
            ..Method::new("langevin", "Annealed Langevin dynamics", annealed::langevin)
        },
        Method {
            stochastic: true,
            evaluations: 2,
            knobs: &[Knob::Snr, Knob::Inner],
            diffusers: Some("ScoreSdeVeScheduler"),
            paper: "Song et al. 2021, arXiv 2011.13456, algorithms 2 to 5",
            ..Method::new("predictor-corrector", "Predictor-corrector", predictor_corrector::predictor_corrector)
        },
    ]
}
