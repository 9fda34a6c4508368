//! Methods for models distilled to give pictures in a few steps.

use super::table::Method;
use crate::math::Latent;

/// The rows of this family.
pub(super) fn rows<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![]
}
