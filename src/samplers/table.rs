//! The sampler table: the one place that lists the families.

use super::{Method, adaptive, ancestral, few_step, langevin, multistep, ode, sde, singlestep};
use crate::math::Latent;

/// The sampler table, family by family, in the order that the page shows.
pub fn methods<X: Latent + 'static>() -> Vec<Method<X>> {
    let families = [
        ("ode", ode::rows()),
        ("multistep", multistep::rows()),
        ("singlestep", singlestep::rows()),
        ("adaptive", adaptive::rows()),
        ("ancestral", ancestral::rows()),
        ("sde", sde::rows()),
        ("langevin", langevin::rows()),
        ("few_step", few_step::rows()),
    ];
    let filed =
        |(family, rows): (&'static str, Vec<Method<X>>)| rows.into_iter().map(move |row| Method { family, ..row });
    families.into_iter().flat_map(filed).collect()
}

/// The row with this id or alias.
pub fn method<X: Latent + 'static>(id: &str) -> Option<Method<X>> {
    methods().into_iter().find(|row| row.id == id || row.aliases.contains(&id))
}
