//! Langevin dynamics: many small noisy moves uphill in likelihood.

pub mod annealed;
pub mod predictor_corrector;

pub use annealed::langevin;
pub use predictor_corrector::predictor_corrector;

use super::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![
        Method {
            stochastic: true,
            evaluations: 5,
            knobs: &[annealed::LANGEVIN_STEPS, annealed::STEP_SIZE, annealed::TEMPERATURE],
            paper: "Song & Ermon 2019, arXiv 1907.05600, algorithm 1",
            ..Method::new("langevin", "Annealed Langevin dynamics", annealed::langevin)
        },
        Method {
            stochastic: true,
            evaluations: 2,
            knobs: &[predictor_corrector::SNR, predictor_corrector::LANGEVIN_STEPS],
            diffusers: Some("ScoreSdeVeScheduler"),
            paper: "Song et al. 2021, arXiv 2011.13456, algorithms 2 to 5",
            ..Method::new("predictor-corrector", "Predictor-corrector", predictor_corrector::predictor_corrector)
        },
    ]
}
