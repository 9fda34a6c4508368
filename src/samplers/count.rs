//! How many evaluations of the model a run takes, found by running it on a number.

use super::{Method, Run, Tuning};
use crate::denoise::{Denoiser, Estimate};
use crate::math::{Grid, Latent, Level, Noise, NoiseSchedule};
use std::cell::Cell;

/// A model that counts its evaluations.
pub struct Counted<'a, X> {
    model: &'a dyn Denoiser<X>,
    count: Cell<usize>,
}

impl<'a, X> Counted<'a, X> {
    pub fn new(model: &'a dyn Denoiser<X>) -> Self {
        Self { model, count: Cell::new(0) }
    }

    /// The evaluations so far.
    pub fn evaluations(&self) -> usize {
        self.count.get()
    }
}

impl<X: Latent> Denoiser<X> for Counted<'_, X> {
    fn denoise(&self, x: &X, at: Level) -> X {
        self.count.set(self.count.get() + 1);
        self.model.denoise(x, at)
    }

    fn estimate(&self, x: &X, at: Level) -> Estimate<X> {
        self.count.set(self.count.get() + 1);
        self.model.estimate(x, at)
    }
}

/// The evaluations of the first `steps` steps of a run over this grid; `None` where the method chooses its steps by what it finds.
pub fn evaluations(
    method: &Method<f64>,
    tuning: Tuning,
    grid: &Grid,
    steps: usize,
    schedule: &impl NoiseSchedule,
) -> Option<usize> {
    struct Silent;
    impl Noise<f64> for Silent {
        fn normal(&mut self, _: &f64) -> f64 {
            0.0
        }
    }
    let sampler = method.on_grid()?;
    let zero = |_: &f64, _: Level| 0.0;
    let (model, mut noise) = (Counted::new(&zero), Silent);
    sampler(Run::new(1.0, grid, schedule, &model, &mut noise).with_tuning(tuning)).take(steps).for_each(drop);
    Some(model.evaluations())
}
