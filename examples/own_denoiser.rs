//! A denoiser of one's own: data that is spread evenly on a circle, whose `E[x_0 | x_t]` is known in closed form. Every sampler
//! of the table then draws points of the circle.
//!
//! `cargo run --example own_denoiser`

use std::error::Error;
use unnoise::denoise::Denoiser;
use unnoise::math::noise::BrownianPath;
use unnoise::math::{Discrete, Latent, Level, Noise, Spacing};
use unnoise::samplers::{Run, multistep};

type Point = [f64; 2];

/// Data on the circle of this radius around 0.
struct Circle {
    radius: f64,
}

impl Denoiser<Point> for Circle {
    /// The posterior of the angle is von Mises' distribution around that of `x`, with concentration
    /// `kappa = alpha r |x| / sigma^2`; its mean has the length `I_1(kappa) / I_0(kappa)`.
    fn denoise(&self, x: &Point, at: Level) -> Point {
        let length = x[0].hypot(x[1]);
        let kappa = at.alpha * self.radius * length / (at.sigma * at.sigma);
        x.scale(self.radius * bessel_ratio(kappa) / length)
    }
}

/// `I_1(kappa) / I_0(kappa)`, by the trapezoidal rule on their integrals over the angle, which converges exponentially.
fn bessel_ratio(kappa: f64) -> f64 {
    // The integrand is as narrow as `kappa` to the power -1/2, so that large values use their expansion.
    if kappa > 500.0 {
        return 1.0 - 0.5 / kappa - 0.125 / (kappa * kappa);
    }
    const ANGLES: u32 = 512;
    let cosines = (0..ANGLES).map(|i| (std::f64::consts::TAU * f64::from(i) / f64::from(ANGLES)).cos());
    let weighted = cosines.map(|c| (c, (kappa * (c - 1.0)).exp()));
    let (top, bottom) = weighted.fold((0.0, 0.0), |(top, bottom), (c, w)| (top + c * w, bottom + w));
    top / bottom
}

fn main() -> Result<(), Box<dyn Error>> {
    let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
    let grid = Spacing::Trailing.grid(&schedule, 20)?;
    println!("{:>8} {:>8} {:>8}", "x", "y", "radius");
    for seed in 0..8 {
        let mut noise = BrownianPath::new(seed);
        let start = noise.normal(&[0.0; 2]).scale(grid.first().marginal_std());
        let run = Run::new(start, &grid, &schedule, &Circle { radius: 1.5 }, &mut noise);
        let [x, y] = multistep::dpmpp_2m(run).last().ok_or("a grid without steps")?.x;
        println!("{x:8.4} {y:8.4} {:8.4}", x.hypot(y));
    }
    Ok(())
}
