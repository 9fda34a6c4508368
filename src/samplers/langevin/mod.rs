//! Langevin dynamics: many small noisy moves uphill in likelihood.

mod annealed;

use super::table::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![Method {
        stochastic: true,
        evaluations: 5,
        paper: "Song & Ermon 2019, arXiv 1907.05600, algorithm 1",
        ..Method::new("langevin", "Annealed Langevin dynamics", annealed::langevin)
    }]
}
