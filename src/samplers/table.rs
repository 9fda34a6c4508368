//! The sampler table: what a row is, and the one place that lists the families.

use super::{AdaptiveSampler, Knob, Sampler, Tuning, Walk};
use super::{adaptive, ancestral, few_step, langevin, multistep, ode, sde, singlestep};
use crate::math::Latent;

/// A row of the table: what a person and a test need to know about a sampler, and the sampler.
pub struct Method<X> {
    /// Kebab-case id, as in links and on the command line.
    pub id: &'static str,
    /// Its name in prose.
    pub name: &'static str,
    /// The family that it stands in: a folder of `src/samplers`.
    pub family: &'static str,
    /// Order of convergence in the step size, unless [`Knob::Order`] says it; weak order for stochastic methods.
    pub order: usize,
    /// The order of convergence at each value of [`Knob::Order`], from 1, where it is not that value.
    pub convergence: &'static [usize],
    /// Model evaluations a step (an attempt, where a method chooses its steps) at the default tuning. A step from pure
    /// noise (`alpha = 0`) or to the clean end may take fewer.
    pub evaluations: u32,
    /// Whether the method draws fresh noise at its default tuning.
    pub stochastic: bool,
    /// Whether it steps on the model's own estimate of the noise beside that of the picture, which CFG++ is about.
    pub cfg_pp: bool,
    /// What a person may turn.
    pub knobs: &'static [Knob],
    /// Where the knobs stand by default.
    pub tuning: Tuning,
    /// What others call it; `None` where they have no such method.
    pub comfyui: Option<&'static str>,
    pub k_diffusion: Option<&'static str>,
    pub diffusers: Option<&'static str>,
    /// Authors, year, identifier and place in the paper.
    pub paper: &'static str,
    pub walk: Walk<X>,
}

impl<X> Method<X> {
    /// A deterministic method of order 1 with one evaluation a step, that nobody else has: what a row changes.
    pub(super) fn new(id: &'static str, name: &'static str, sampler: Sampler<X>) -> Self {
        Self::plain(id, name, Walk::Grid(sampler))
    }

    /// The same, for a method that chooses its own steps.
    pub(super) fn adaptive(id: &'static str, name: &'static str, sampler: AdaptiveSampler<X>) -> Self {
        Self::plain(id, name, Walk::Adaptive(sampler))
    }

    fn plain(id: &'static str, name: &'static str, walk: Walk<X>) -> Self {
        Self {
            id,
            name,
            family: "",
            order: 1,
            convergence: &[],
            evaluations: 1,
            stochastic: false,
            cfg_pp: false,
            knobs: &[],
            tuning: Tuning::DEFAULT,
            comfyui: None,
            k_diffusion: None,
            diffusers: None,
            paper: "",
            walk,
        }
    }

    /// The sampler, if it walks the grid's steps.
    pub fn on_grid(&self) -> Option<Sampler<X>> {
        match self.walk {
            Walk::Grid(sampler) => Some(sampler),
            Walk::Adaptive(_) => None,
        }
    }

    /// The sampler, if it chooses its own steps.
    pub fn on_its_own(&self) -> Option<AdaptiveSampler<X>> {
        match self.walk {
            Walk::Grid(_) => None,
            Walk::Adaptive(sampler) => Some(sampler),
        }
    }

    /// The order that it has with this tuning.
    pub fn order_with(&self, tuning: &Tuning) -> usize {
        let tuned = self.knobs.iter().any(|knob| matches!(knob, Knob::Order(_)));
        match self.convergence.get(tuning.order.wrapping_sub(1)) {
            _ if !tuned => self.order,
            Some(order) => *order,
            None => tuning.order,
        }
    }

    /// Whether it draws fresh noise with this tuning.
    pub fn stochastic_with(&self, tuning: &Tuning) -> bool {
        match self.knobs {
            knobs if knobs.contains(&Knob::Eta) => tuning.eta > 0.0,
            knobs if knobs.contains(&Knob::Churn) => tuning.churn > 0.0,
            _ => self.stochastic,
        }
    }
}

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

/// The row named `id`.
pub fn method<X: Latent + 'static>(id: &str) -> Option<Method<X>> {
    methods().into_iter().find(|m| m.id == id)
}
