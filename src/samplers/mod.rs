//! Floor 2: the samplers. One file a method, one row in [`methods`]. No burn, no wasm.
//!
//! A sampler is a function from a [`Run`] to an iterator of [`Step`]s. What it remembers are local variables of that
//! iterator: there is nothing to reset, and dropping the iterator cancels the run.

mod dpmpp_2m;

use crate::denoise::Denoiser;
use crate::math::{Grid, Latent, Level, Noise};

/// What a sampler is given.
pub struct Run<'a, X> {
    /// The point at the grid's first level.
    pub start: X,
    /// The noise levels to walk through.
    pub grid: &'a Grid,
    /// The model, wrapped so that it estimates `x_0`.
    pub model: &'a dyn Denoiser<X>,
    /// Where every random number of the run comes from.
    pub noise: &'a mut dyn Noise<X>,
    /// How much fresh noise a step adds, dimensionless: 0 none (deterministic), 1 the full posterior or reverse-SDE
    /// noise. Ignored by methods whose [`Method::eta`] is `None`.
    pub eta: f64,
}

/// One finished step.
#[derive(Clone, Debug)]
pub struct Step<X> {
    /// The point at `to`.
    pub x: X,
    /// The model's estimate of `x_0` that the step was built on.
    pub denoised: X,
    pub from: Level,
    pub to: Level,
}

/// The steps of a run, computed one by one as they are asked for.
pub type Steps<'a, X> = Box<dyn Iterator<Item = Step<X>> + 'a>;

/// A sampler.
pub type Sampler<X> = for<'a> fn(Run<'a, X>) -> Steps<'a, X>;

/// A row of the table: what a person and a test need to know about a sampler, and the sampler.
pub struct Method<X> {
    /// Kebab-case id, as in links and on the command line.
    pub id: &'static str,
    /// Its name in prose.
    pub name: &'static str,
    /// Order of convergence in the step size; weak order for stochastic methods.
    pub order: u32,
    /// Model evaluations a step (the last step may take fewer).
    pub evaluations: u32,
    /// Whether the method draws fresh noise at its default eta.
    pub stochastic: bool,
    /// Default of [`Run::eta`], where the method has one.
    pub eta: Option<f64>,
    /// What others call it; `None` where they have no such method.
    pub comfyui: Option<&'static str>,
    pub k_diffusion: Option<&'static str>,
    pub diffusers: Option<&'static str>,
    /// Authors, year, identifier and place in the paper.
    pub paper: &'static str,
    pub sample: Sampler<X>,
}

/// The sampler table, in the order that the page shows.
pub fn methods<X: Latent + 'static>() -> Vec<Method<X>> {
    vec![Method {
        id: "dpmpp-2m",
        name: "DPM-Solver++(2M)",
        order: 2,
        evaluations: 1,
        stochastic: false,
        eta: None,
        comfyui: Some("dpmpp_2m"),
        k_diffusion: Some("sample_dpmpp_2m"),
        diffusers: Some("DPMSolverMultistepScheduler"),
        paper: "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
        sample: dpmpp_2m::dpmpp_2m,
    }]
}

/// The row named `id`.
pub fn method<X: Latent + 'static>(id: &str) -> Option<Method<X>> {
    methods().into_iter().find(|m| m.id == id)
}

/// Moves `x` from one level to another as if its noise and the estimate `x0` stayed what they are: the exact solution
/// of the probability-flow ODE while the model's estimate is constant, and the step of DDIM (Song et al. 2021,
/// arXiv 2010.02502, equation 12 with sigma_t = 0).
pub(crate) fn slide<X: Latent>(x: &X, x0: &X, from: Level, to: Level) -> X {
    let keep = to.sigma / from.sigma;
    x.mix(keep, x0, to.alpha - keep * from.alpha)
}
