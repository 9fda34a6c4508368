//! Samplers on single-precision tensors against the same samplers on `f64`: what a picture loses to its device.
#![cfg(feature = "cpu")]

use pollster::block_on;
use unnoise::backend::{self, Backend};
use unnoise::denoise::Denoiser;
use unnoise::denoise::ideal::{Component, Mixture};
use unnoise::math::{ContinuousVp, Grid, Latent, Level, Noise, Spacing, TorchGenerator};
use unnoise::samplers::{Method, Run, Stepping, methods};

use burn::tensor::{Device, Tensor, TensorData};

type Point = [f64; 2];
const PARTICLES: usize = 8;
const STEPS: usize = 10;
const MEANS: [Point; 4] = [[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]];
const STD: f64 = 0.5;

/// What a value may be off by, next to its own size: the rounding of some hundred operations.
const TOLERANCE: f64 = 2e-5;

fn tensor(points: &[Point], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = points.iter().flatten().map(|v| *v as f32).collect();
    Tensor::from_data(TensorData::new(values, [points.len(), 2, 1, 1]), device)
}

fn points(tensor: Tensor<4>) -> Vec<Point> {
    let values = block_on(backend::read(tensor)).unwrap();
    values.as_chunks::<2>().0.iter().map(|pair| pair.map(f64::from)).collect()
}

/// The exact model in double precision.
fn exact() -> Mixture<2> {
    Mixture::new(MEANS.map(|mean| Component { weight: 1.0, mean, std: STD }).to_vec()).unwrap()
}

/// The same model as tensor operations in single precision. The four means are the corners of a square, so each
/// coordinate is a mixture of two by itself, and the difference of its shares is a hyperbolic tangent.
fn in_single_precision(x: &Tensor<4>, at: Level) -> Tensor<4> {
    let [[mean, _], ..] = MEANS;
    let variance = (at.alpha * STD).powi(2) + at.sigma.powi(2);
    let gain = at.alpha * STD * STD / variance;
    let difference = x.scale(at.alpha * mean / variance).tanh();
    difference.mix(mean * (1.0 - at.alpha * gain), x, gain)
}

/// One list of draws, for a particle or for all of them at once.
struct Draws {
    generator: TorchGenerator,
    particle: Option<usize>,
}

impl Draws {
    fn of(particle: Option<usize>) -> Self {
        Self { generator: TorchGenerator::new(11), particle }
    }

    fn all(&mut self) -> Vec<Point> {
        // Rounded to single precision, so that both runs meet the same noise.
        let values: Vec<f64> = self.generator.randn(2 * PARTICLES).into_iter().map(f64::from).collect();
        values.as_chunks::<2>().0.to_vec()
    }
}

impl Noise<Point> for Draws {
    fn normal(&mut self, _: &Point) -> Point {
        let particle = self.particle.expect("a particle has its own source");
        self.all()[particle]
    }
}

impl Noise<Tensor<4>> for Draws {
    fn normal(&mut self, like: &Tensor<4>) -> Tensor<4> {
        tensor(&self.all(), &like.device())
    }
}

/// The end of a run over the grid.
fn end_of<X: Latent + 'static>(
    method: &Method<X>,
    start: X,
    grid: &Grid,
    model: &dyn Denoiser<X>,
    noise: &mut dyn Noise<X>,
) -> Option<X> {
    let Stepping::Grid(sampler) = method.stepping else { return None };
    let schedule = &ContinuousVp::default();
    let run = Run::new(start, grid, schedule, model, noise);
    sampler(run).last().map(|step| step.x)
}

#[test]
fn tensors_follow_the_double_precision_run() {
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let grid = Spacing::Trailing.grid(&ContinuousVp::default(), STEPS).unwrap();
    let start: Vec<Point> = Draws::of(None).all().iter().map(|z| z.scale(grid.first().marginal_std())).collect();
    let mut compared = 0;
    for (there, here) in methods::<Point>().iter().zip(methods::<Tensor<4>>()) {
        let model = |x: &Tensor<4>, at: Level| in_single_precision(x, at);
        let Some(end) = end_of(&here, tensor(&start, &device), &grid, &model, &mut Draws::of(None)) else { continue };
        for (particle, got) in points(end).into_iter().enumerate() {
            let mut noise = Draws::of(Some(particle));
            let expected = end_of(there, start[particle], &grid, &exact(), &mut noise).unwrap();
            for (got, expected) in got.into_iter().zip(expected) {
                let off = (got - expected).abs() / (1.0 + expected.abs());
                assert!(off <= TOLERANCE, "{}: particle {particle} is {off:.1e} away, {got} not {expected}", here.id);
            }
        }
        compared += 1;
    }
    assert!(compared > 30, "only {compared} methods take the steps of a grid");
}
