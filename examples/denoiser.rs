//! A denoiser of one's own: anything that estimates `x_0` from `x_t` and its noise level, here the exact one of points on a
//! circle, sampled by a method of the table.

use std::error::Error;
use std::f64::consts::TAU;
use unnoise::denoise::Denoiser;
use unnoise::math::noise::BrownianPath;
use unnoise::math::{Discrete, Level, Spacing, TorchGenerator};
use unnoise::samplers::{Run, method};

const POINTS: usize = 12;

/// Data that are some points of the unit circle, equally likely.
struct Circle;

impl Denoiser<[f64; 2]> for Circle {
    /// The mean of the points, each weighed by the likelihood of `x` given it: `exp(-|x - alpha x_0|^2 / (2 sigma^2))`.
    fn denoise(&self, x: &[f64; 2], at: Level) -> [f64; 2] {
        let points = (0..POINTS).map(|i| TAU * i as f64 / POINTS as f64).map(|angle| [angle.cos(), angle.sin()]);
        let exponent = |p: &[f64; 2]| {
            let square = (x[0] - at.alpha * p[0]).powi(2) + (x[1] - at.alpha * p[1]).powi(2);
            -0.5 * square / at.sigma.powi(2)
        };
        let points: Vec<_> = points.map(|p| (exponent(&p), p)).collect();
        let largest = points.iter().map(|(e, _)| *e).fold(f64::NEG_INFINITY, f64::max);
        let weighed = points.iter().map(|(e, p)| ((e - largest).exp(), p));
        let (sum, mean) =
            weighed.fold((0.0, [0.0; 2]), |(sum, m), (w, p)| (sum + w, [m[0] + w * p[0], m[1] + w * p[1]]));
        mean.map(|v| v / sum)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
    let grid = Spacing::LogSnr.grid(&schedule, 20)?;
    let sampler = method::<[f64; 2]>("dpmpp-2m").and_then(|row| row.on_grid()).ok_or("a sampler of the table")?;
    for seed in 0..8 {
        let std = grid.first().marginal_std();
        let normals = TorchGenerator::new(seed).randn_f64(2);
        let mut noise = BrownianPath::new(seed);
        let run = Run::new([normals[0] * std, normals[1] * std], &grid, &schedule, &Circle, &mut noise);
        let [x, y] = sampler(run).last().ok_or("20 steps")?.x;
        println!("({x:6.3}, {y:6.3})  radius {:.4}", x.hypot(y));
    }
    Ok(())
}
