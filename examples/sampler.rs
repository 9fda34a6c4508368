//! A sampler of one's own: a function from a `Run` to an iterator of `Step`s, here the explicit midpoint rule written out,
//! beside the library's Heun on the same noise.

use std::error::Error;
use unnoise::denoise::ideal::{Component, Mixture};
use unnoise::math::noise::BrownianPath;
use unnoise::math::{Discrete, Latent, Level, Spacing, TorchGenerator};
use unnoise::samplers::{Run, ode};

/// One step of the probability-flow ODE `dy/ds = (y - x_0) / s` in `y = x / alpha` and `s = sigma / alpha`, by the slope in
/// its middle.
fn midpoint<X: Latent>(run: Run<X>) -> impl Iterator<Item = X> {
    let Run { start, grid, schedule, model, .. } = run;
    let slope = move |y: &X, s: f64| {
        let at: Level = schedule.level_at(s);
        y.mix(1.0 / s, &model.denoise(&y.scale(at.alpha), at), -1.0 / s)
    };
    let mut y = start.scale(1.0 / grid.first().alpha);
    let pairs: Vec<_> = grid.pairs().collect();
    pairs.into_iter().map(move |(from, to)| {
        let (s, step) = (from.nsr(), to.nsr() - from.nsr());
        // predictor: half a step with the slope at its beginning
        let half = y.mix(1.0, &slope(&y, s), 0.5 * step);
        // corrector: the whole step with the slope in the middle
        y = y.mix(1.0, &slope(&half, s + 0.5 * step), step);
        y.scale(to.alpha)
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
    let grid = Spacing::LogSnr.grid(&schedule, 20)?;
    let gaussian = |mean| Component { weight: 1.0, mean: [mean], std: 0.1 };
    let model = Mixture::new(vec![gaussian(-2.0), gaussian(2.0)]).ok_or("the weights are positive")?;
    println!("midpoint  heun");
    for seed in 0..8 {
        let start = [TorchGenerator::new(seed).randn_f64(1)[0] * grid.first().marginal_std()];
        let (mut a, mut b) = (BrownianPath::new(seed), BrownianPath::new(seed));
        let [own] = midpoint(Run::new(start, &grid, &schedule, &model, &mut a)).last().ok_or("20 steps")?;
        let [heun] = ode::heun(Run::new(start, &grid, &schedule, &model, &mut b)).last().ok_or("20 steps")?.x;
        println!("{own:8.4}  {heun:.4}");
    }
    Ok(())
}
