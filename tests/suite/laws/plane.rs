//! Points of the plane, where data need not be Gaussian: a mixture, its probability flow, noise.

use unnoise::denoise::Denoiser;
use unnoise::denoise::ideal::{Component, Mixture};
use unnoise::math::{Grid, Latent, Level, Noise, TorchGenerator};

pub type Point = [f64; 2];

/// An equal mixture of three normals.
pub fn mixture() -> Mixture<2> {
    let component = |mean| Component { weight: 1.0, mean, std: 0.5 };
    Mixture::new([[1.5, 1.0], [-1.5, 0.5], [0.5, -2.0]].map(component).into()).expect("a law")
}

/// Where the probability-flow ODE takes `x` from the grid's first level to its last, by 4000 steps of the classical
/// fourth-order Runge-Kutta method on `dy / d ln s = y - x_0(y, s)` with `y = x / alpha` and `s = sigma / alpha`.
/// Its error is below 1e-10, and it shares no formula with the samplers.
pub fn flow_map(model: &Mixture<2>, x: &Point, grid: &Grid) -> Point {
    const STEPS: usize = 4000;
    let (first, last) = (grid.first(), grid.levels()[grid.steps()]);
    let slope =
        |y: &Point, log: f64| y.mix(1.0, &model.denoise(y, Level { t: 0.0, alpha: 1.0, sigma: log.exp() }), -1.0);
    let h = (last.nsr() / first.nsr()).ln() / STEPS as f64;
    let mut y = x.scale(1.0 / first.alpha);
    for i in 0..STEPS {
        let log = first.nsr().ln() + h * i as f64;
        let k1 = slope(&y, log);
        let k2 = slope(&y.mix(1.0, &k1, h / 2.0), log + h / 2.0);
        let k3 = slope(&y.mix(1.0, &k2, h / 2.0), log + h / 2.0);
        let k4 = slope(&y.mix(1.0, &k3, h), log + h);
        y = y.mix(1.0, &k1.mix(1.0, &k4, 1.0), h / 6.0).mix(1.0, &k2.mix(1.0, &k3, 1.0), h / 3.0);
    }
    y.scale(last.alpha)
}

pub fn distance(a: &Point, b: &Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Repeatable standard normals. Counts what it gave.
pub struct Seeded {
    generator: TorchGenerator,
    pub drawn: usize,
}

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self { generator: TorchGenerator::new(seed), drawn: 0 }
    }
}

impl Noise<Point> for Seeded {
    fn normal(&mut self, _: &Point) -> Point {
        self.drawn += 1;
        [self.generator.randn_f64(1)[0], self.generator.randn_f64(1)[0]]
    }
}

/// Noise that Python makes too: draw `k` is `(sin k, cos 2k)`, `k` from 1.
pub struct Waves(pub usize);

impl Noise<Point> for Waves {
    fn normal(&mut self, _: &Point) -> Point {
        self.0 += 1;
        [(self.0 as f64).sin(), (2.0 * self.0 as f64).cos()]
    }
}
