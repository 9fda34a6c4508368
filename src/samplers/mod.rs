//! Floor 2: the samplers. One file a method, one row in [`methods`]. No burn, no wasm.
//!
//! A sampler is a function from a [`Run`] to an iterator of [`Step`]s. What it remembers are local variables of that
//! iterator: there is nothing to reset, and dropping the iterator cancels the run.
//!
//! Every method is written on pairs of [`Level`]s. Papers that work in the noise-to-signal coordinate `x / alpha` (the
//! "sigma" of EDM) and papers that work on `alpha_bar` then read the same. A flow starts at `alpha = 0`, where that
//! coordinate is infinite: only `ratio` and `lambda` know it, and their limits there are what each method needs.

mod ddim;
mod ddpm;
mod dpmpp_2m;
mod dpmpp_2m_sde;
mod euler;
mod euler_ancestral;
mod heun;
mod langevin;
mod table;

pub use table::{method, methods};

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
    /// How much fresh noise a step adds, dimensionless, 0 to 1: 0 none (deterministic), 1 the full posterior or
    /// reverse-SDE noise. Ignored by methods whose [`Method::eta`] is `None`.
    pub eta: f64,
}

/// One finished step.
#[derive(Clone, Debug)]
pub struct Step<X> {
    /// The point at `to`.
    pub x: X,
    /// The model's estimate of `x_0` that the step was built on: the first of them where a step asks at two levels,
    /// the last where it asks often at one.
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
    /// Model evaluations a step. A step from pure noise (`alpha = 0`) or to the clean end may take fewer.
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

/// Moves `x` from one level to another as if its noise and the estimate `x0` stayed what they are: the exact solution
/// of the probability-flow ODE while the model's estimate is constant, and the step of DDIM (Song et al. 2021,
/// arXiv 2010.02502, equation 12 with sigma_t = 0).
fn slide<X: Latent>(x: &X, x0: &X, from: Level, to: Level) -> X {
    let keep = to.sigma / from.sigma;
    x.mix(keep, x0, to.alpha - keep * from.alpha)
}

/// The factor by which a step shrinks the noise-to-signal ratio, in [0, 1): `exp(-h)` for a step of `h` in lambda.
/// 0 from pure noise and to the clean end.
fn ratio(from: Level, to: Level) -> f64 {
    to.nsr() / from.nsr()
}

/// The noise of `to`, split as `kept^2 + fresh^2 = to.sigma^2`: `fresh` is `eta` times the standard deviation of
/// `x_to` given `x_from` and `x_0` (Song et al. 2021, arXiv 2010.02502, equation 16; in noise-to-signal coordinates it
/// is the `sigma_up` of k-diffusion, and `kept` its `sigma_down`). Returns `(kept, fresh)`.
fn ancestral(from: Level, to: Level, eta: f64) -> (f64, f64) {
    let r = ratio(from, to);
    // Not as 1 - fresh^2, which would lose the digits of a small `kept`.
    let kept = (1.0 - eta * eta + eta * eta * r * r).max(0.0).sqrt();
    (to.sigma * kept, to.sigma * eta * (1.0 - r * r).sqrt())
}

/// Slides `x` to level `to`, but with only `kept` of its old noise, and adds `fresh` new noise (standard deviations).
///
/// Nothing is drawn where `fresh` is 0. That is so in all steps of a run (no eta) or in the last (clean end), so no
/// later draw moves.
fn renoise<X: Latent>(
    x: &X,
    x0: &X,
    (from, to): (Level, Level),
    (kept, fresh): (f64, f64),
    noise: &mut dyn Noise<X>,
) -> X {
    let x = slide(x, x0, from, Level { sigma: kept, ..to });
    if fresh > 0.0 { x.mix(1.0, &noise.normal(&x), fresh) } else { x }
}

/// The estimate of `x_0` in the middle of a step, on the line in log-SNR through the `last` estimate and this one: the
/// second-order term of the DPM-Solver++ multistep methods. `last` is the estimate of the previous step with the length
/// of that step, `h` the length of this one.
///
/// The line has no middle on an infinite step (to the clean end), so there, as in the first step, it is this estimate.
fn midpoint<X: Latent>(denoised: &X, last: &Option<(X, f64)>, h: f64) -> X {
    match last {
        Some((old, h_old)) if h.is_finite() => {
            let c = h / (2.0 * h_old);
            denoised.mix(1.0 + c, old, -c)
        }
        _ => denoised.clone(),
    }
}
