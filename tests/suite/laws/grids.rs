//! The grids that the laws are held on: one process of each kind.

use unnoise::math::{ContinuousVp, Flow, Grid, Level, NoiseSchedule, Rates, Ve};

/// A noise schedule over the time 0 (clean) to 1 (noise).
pub struct Process {
    pub name: &'static str,
    schedule: Box<dyn NoiseSchedule>,
}

/// Variance preserving, variance exploding, and a flow, which starts at alpha = 0. All smooth in time.
pub fn processes() -> [Process; 3] {
    [
        Process { name: "vp", schedule: Box::new(ContinuousVp::default()) },
        Process { name: "ve", schedule: Box::new(Ve { sigma_min: 1e-3, sigma_max: 20.0 }) },
        Process { name: "flow", schedule: Box::new(Flow::default()) },
    ]
}

impl Process {
    /// Evenly spaced in time from noise to the clean level.
    pub fn whole(&self, steps: usize) -> Grid {
        let noisy = (0..steps).map(|i| self.schedule.level(1.0 - i as f64 / steps as f64));
        Grid::new(noisy.chain([Level::CLEAN]).collect()).expect("the ratio rises with time")
    }

    /// From time 0.95 to 0.15, for an even number of steps: without the ends, where log-SNR is infinite, so that an order
    /// of convergence is defined. Long and short steps take turns, so that no formula may take them for equal.
    pub fn inner(&self, steps: usize) -> Grid {
        self.between_the_ends(uneven(steps))
    }

    /// As [`inner`](Self::inner), with steps that are equal in time.
    pub fn even(&self, steps: usize) -> Grid {
        self.between_the_ends((0..=steps).map(|i| i as f64 / steps as f64))
    }

    /// As [`inner`](Self::inner), with a first step divided so that a method which climbs from order 1 to `order`, as it
    /// comes to know earlier estimates, errs by no more there than elsewhere: a step of order `k` errs by its length to
    /// the power `k + 1`.
    pub fn graded(&self, steps: usize, order: usize) -> Grid {
        let length = |k: usize| (2.0 / steps as f64).powf((order + 1) as f64 / (k + 1) as f64);
        self.between_the_ends([0.0].into_iter().chain((1..order).map(length)).chain(uneven(steps).skip(1)))
    }

    fn between_the_ends(&self, done: impl Iterator<Item = f64>) -> Grid {
        let level = |done| self.schedule.level(0.95 * (1.0 - done) + 0.15 * done);
        Grid::new(done.map(level).collect()).expect("the ratio rises with time")
    }
}

/// The part of the way that is done after 0, 1, ... of `steps` steps that are long and short by turns.
fn uneven(steps: usize) -> impl Iterator<Item = f64> {
    (0..=steps).map(move |i| (i as f64 + 0.3 * (i % 2) as f64) / steps as f64)
}

/// The process that a grid was taken from, as far as its levels tell: between two of them the logarithms of alpha and
/// sigma are linear in each other, and in time.
pub struct Between<'a>(pub &'a Grid);

impl NoiseSchedule for Between<'_> {
    /// Between two levels the logarithm of the ratio is linear in time, beside an infinite one its inverse or itself; below
    /// the last the ratio falls to 0 at time 0.
    fn level(&self, t: f64) -> Level {
        let last = self.0.last();
        let nsr = match self.0.pairs().find(|(_, to)| t >= to.t) {
            Some((from, to)) => {
                let part = (from.t - t) / (from.t - to.t);
                match (from.alpha > 0.0, to.sigma > 0.0) {
                    (true, true) => from.nsr().powf(1.0 - part) * to.nsr().powf(part),
                    (true, false) => from.nsr() * (1.0 - part),
                    (false, _) => to.nsr() / part,
                }
            }
            None => last.nsr() * t / last.t,
        };
        Level { t, ..self.level_at(nsr) }
    }

    fn level_at(&self, nsr: f64) -> Level {
        let step = self.0.pairs().find(|(_, to)| nsr >= to.nsr());
        let (from, to) = step.unwrap_or((self.0.first(), self.0.last()));
        let part = ((nsr / from.nsr()).ln() / (to.nsr() / from.nsr()).ln()).clamp(0.0, 1.0);
        let alpha = match (from.alpha > 0.0, to.sigma > 0.0) {
            (true, true) => from.alpha.powf(1.0 - part) * to.alpha.powf(part),
            (true, false) => from.alpha,
            (false, _) => to.alpha,
        };
        Level { t: from.t, alpha, sigma: alpha * nsr }
    }

    /// The mean rates of the step that begins at `t`. Needs `alpha > 0`.
    fn rates(&self, t: f64) -> Rates {
        let (from, to) = self.0.pairs().find(|(_, to)| t > to.t).expect("a time between those of the grid");
        let (length, [before, after]) = (from.t - to.t, [from, to].map(|l| l.nsr()));
        let diffusion = from.alpha.powi(2) * (before - after) * (before + after) / length;
        Rates { drift: (from.alpha / to.alpha).ln() / length, diffusion }
    }

    /// The clean level's, whether the grid goes there or not.
    fn t_min(&self) -> f64 {
        0.0
    }

    fn t_max(&self) -> f64 {
        self.0.first().t
    }
}

/// The same trajectory in noise-to-signal coordinates: alpha 1 at every level. Needs alpha > 0.
pub fn exploding(grid: &Grid) -> Grid {
    let rescaled = |l: &Level| Level { t: l.t, alpha: 1.0, sigma: l.nsr() };
    Grid::new(grid.levels().iter().map(rescaled).collect()).expect("the ratios are those of a grid")
}
