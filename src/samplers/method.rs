//! What a row of the sampler table is.

use super::{AdaptiveSampler, Knob, Sampler, Stepping, Tuning};

/// A row of the table: what a person and a test need to know about a sampler, and the sampler.
pub struct Method<X> {
    /// Kebab-case id, as in links and on the command line.
    pub id: &'static str,
    /// Other ids of the same method.
    pub aliases: &'static [&'static str],
    /// Its name in prose.
    pub name: &'static str,
    /// The family that it stands in: a folder of `src/samplers`.
    pub family: &'static str,
    /// Order of convergence in the step size, unless a knob `order` says it; weak order for stochastic methods.
    pub order: usize,
    /// The order of convergence at each value of the knob `order`, from 1, where it is not that value.
    pub convergence: &'static [usize],
    /// Model evaluations a step (an attempt, where a method chooses its steps) at the default tuning. A step from pure
    /// noise (`alpha = 0`) or to the clean end may take fewer.
    pub evaluations: u32,
    /// Whether the method draws fresh noise at its default tuning.
    pub stochastic: bool,
    /// The knob that must be above 0 for the method to draw fresh noise, where one decides.
    pub noise: Option<Knob>,
    /// Whether it steps on the model's own estimate of the noise beside that of the picture, which CFG++ is about.
    pub cfg_pp: bool,
    /// Whether a clipped estimate of the data stands beside the model's own noise, not the one that it implies
    /// (`use_clipped_model_output` of diffusers' DDIMScheduler, which is false by default).
    pub raw_noise: bool,
    /// Whether it exists only to replay a quirk of another library.
    pub compat: bool,
    /// Its parameters.
    pub knobs: &'static [Knob],
    /// What others call it; `None` where they have no such method.
    pub comfyui: Option<&'static str>,
    pub k_diffusion: Option<&'static str>,
    pub diffusers: Option<&'static str>,
    /// Authors, year, identifier and place in the paper.
    pub paper: &'static str,
    pub stepping: Stepping<X>,
}

impl<X> Method<X> {
    /// A deterministic method of order 1 with one evaluation a step, that nobody else has: what a row changes.
    pub(super) fn new(id: &'static str, name: &'static str, sampler: Sampler<X>) -> Self {
        Self::plain(id, name, Stepping::Grid(sampler))
    }

    /// The same, for a method that chooses its own steps.
    pub(super) fn adaptive(id: &'static str, name: &'static str, sampler: AdaptiveSampler<X>) -> Self {
        Self::plain(id, name, Stepping::Adaptive(sampler))
    }

    fn plain(id: &'static str, name: &'static str, stepping: Stepping<X>) -> Self {
        Self {
            id,
            aliases: &[],
            name,
            family: "",
            order: 1,
            convergence: &[],
            evaluations: 1,
            stochastic: false,
            noise: None,
            cfg_pp: false,
            raw_noise: false,
            compat: false,
            knobs: &[],
            comfyui: None,
            k_diffusion: None,
            diffusers: None,
            paper: "",
            stepping,
        }
    }

    /// The sampler, if it takes the grid's steps.
    pub fn on_grid(&self) -> Option<Sampler<X>> {
        match self.stepping {
            Stepping::Grid(sampler) => Some(sampler),
            Stepping::Adaptive(_) => None,
        }
    }

    /// The sampler, if it chooses its own steps.
    pub fn on_its_own(&self) -> Option<AdaptiveSampler<X>> {
        match self.stepping {
            Stepping::Grid(_) => None,
            Stepping::Adaptive(sampler) => Some(sampler),
        }
    }

    /// Its parameter with this id.
    pub fn knob(&self, id: &str) -> Option<&'static Knob> {
        self.knobs.iter().find(|knob| knob.id == id)
    }

    /// The order that it has with this tuning.
    pub fn order_with(&self, tuning: &Tuning) -> usize {
        let Some(knob) = self.knob("order") else { return self.order };
        let order = tuning.whole(knob);
        self.convergence.get(order - 1).copied().unwrap_or(order)
    }

    /// Whether runs of it have a limit as their steps grow: the end of the ODE, or that of the SDE along one Brownian path.
    pub fn has_limit(&self) -> bool {
        const FAMILIES: [&str; 6] = ["ode", "multistep", "singlestep", "adaptive", "ancestral", "sde"];
        FAMILIES.contains(&self.family)
    }

    /// Whether it draws fresh noise with this tuning.
    pub fn stochastic_with(&self, tuning: &Tuning) -> bool {
        self.noise.map_or(self.stochastic, |knob| tuning.get(&knob) > 0.0)
    }
}
