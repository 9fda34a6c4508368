//! What it takes to follow another library's run with the samplers of this one.

use super::{Draws, LastNoise, Mapped, Unmapped, diffusers};
use crate::denoise::Denoiser;
use crate::math::{Grid, Latent, Level, Noise, Schedule};
use crate::samplers::{Tuning, method};
use std::collections::VecDeque;

/// Whether a step has no length: its ends have the same alpha and sigma, but for the digits that a ratio loses when it
/// is raised to a power and back.
pub(super) fn stands((from, to): (Level, Level)) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * b;
    near(from.alpha, to.alpha) && near(from.sigma, to.sigma)
}

impl Mapped {
    /// How many steps it takes until it comes to a stand.
    fn moves(&self) -> usize {
        self.steps.len() - self.steps.iter().rev().take_while(|step| stands(**step)).count()
    }

    /// The levels of the steps until it comes to a stand.
    ///
    /// # Errors
    /// They do not fall, or there is none.
    pub fn grid(&self) -> Result<Grid, Unmapped> {
        let grid = Grid::of_steps(self.steps[..self.moves()].to_vec());
        grid.map_err(|e| Unmapped(format!("its levels are no grid: {e}")))
    }

    /// The steps without length that follow.
    pub fn standing(&self) -> &[(Level, Level)] {
        &self.steps[self.moves()..]
    }

    /// Where one of those steps leads. It leaves the point where it is, unless noise and a bounded `x_0` that does not belong
    /// to it are put together there, or it ends with the estimate itself.
    pub fn stand<X: Latent>(&self, model: &dyn Denoiser<X>, x: &X, (from, to): (Level, Level)) -> X {
        if self.sampler == "consistency" {
            return model.denoise(x, from).scale(to.alpha);
        }
        if self.bound.is_none_or(|bound| bound.use_clipped_model_output) {
            return x.clone();
        }
        let estimate = model.estimate(x, from);
        estimate.x0.mix(to.alpha, &estimate.eps, to.sigma)
    }

    /// Whether a sampler with this tuning is the one of the scheduler config that this run is of.
    pub fn is_run_of(&self, sampler: &str, tuning: &Tuning, scheduler_config: &str) -> bool {
        let Some(row) = method::<f64>(self.sampler) else { return false };
        let turned = |own: &Tuning| row.knobs.iter().all(|knob| own.get(knob) == tuning.get(knob));
        // Some knobs depend on the number of steps, and what settings start with does not.
        let starts = || diffusers::describe(scheduler_config).is_ok_and(|own| turned(&own.mapped.tuning));
        self.sampler == sampler && (turned(&self.tuning) || starts())
    }

    /// The same run in the coordinates of `process`: some classes keep the points of a variance-preserving process at
    /// `alpha = 1`.
    #[must_use]
    pub fn on(mut self, process: &Schedule) -> Self {
        if !matches!((&self.schedule, process), (Schedule::Ve(_), Schedule::Discrete(_))) {
            return self;
        }
        let preserving = |at: Level| Level::variance_preserving(at.t, at.nsr());
        self.start *= preserving(self.steps[0].0).alpha / self.steps[0].0.alpha;
        self.steps.iter_mut().for_each(|(from, to)| (*from, *to) = (preserving(*from), preserving(*to)));
        self.schedule = process.clone();
        self
    }
}

impl LastNoise {
    /// The finished point `x` with the noise `drawn`, whose learned variance is that of the last evaluation.
    pub fn add<X: Latent>(self, x: &X, drawn: X, variance: Option<&X>) -> X {
        let part = (self.large / self.small).ln() / 2.0;
        let drawn = variance.map_or(drawn.clone(), |v| drawn.times(&v.scale(part).exp()).scale(part.exp()));
        x.mix(1.0, &drawn, self.small)
    }
}

/// A source of noise, less the draws that a library makes and does not use.
pub struct Used<N> {
    source: N,
    listed: VecDeque<bool>,
}

impl<N> Used<N> {
    pub fn new(source: N, draws: &Draws) -> Self {
        let listed = match draws {
            Draws::All => VecDeque::new(),
            Draws::Listed(used) => used.iter().copied().collect(),
        };
        Self { source, listed }
    }
}

impl<X, N: Noise<X>> Noise<X> for Used<N> {
    fn normal(&mut self, like: &X) -> X {
        loop {
            let drawn = self.source.normal(like);
            if self.listed.pop_front().unwrap_or(true) {
                return drawn;
            }
        }
    }
}
