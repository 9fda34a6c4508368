//! A sampler of one's own beside those of the table: Euler's method with momentum on the estimate, written on [`Latent`], so
//! that it runs on plain numbers as here and on tensors alike.
//!
//! `cargo run --example own_sampler`

use std::error::Error;
use unnoise::denoise::Mixture;
use unnoise::denoise::ideal::Component;
use unnoise::math::noise::BrownianPath;
use unnoise::math::{Discrete, Latent, Noise, Spacing};
use unnoise::samplers::{Run, Step, ode};

/// How much of the way to the new estimate a step goes; the rest stays with those before.
const FRESH: f64 = 1.2;

/// Each step slides towards a mean of the estimates so far. All that the method remembers are local variables.
fn with_momentum<'a, X: Latent + 'static>(run: Run<'a, X>) -> impl Iterator<Item = Step<X>> + 'a {
    let Run { start: mut x, grid, model, .. } = run;
    let mut target: Option<X> = None;
    grid.pairs().map(move |(from, to)| {
        let denoised = model.denoise(&x, from);
        let aim = target.take().map_or(denoised.clone(), |old: X| old.mix(1.0 - FRESH, &denoised, FRESH));
        // At the clean end the sample is the estimate itself.
        let aim = if to.sigma > 0.0 { aim } else { denoised.clone() };
        // The exact solution of the probability-flow ODE while the estimate is constant.
        let keep = to.sigma / from.sigma;
        x = x.mix(keep, &aim, to.alpha - keep * from.alpha);
        target = Some(aim);
        Step { x: x.clone(), denoised, from, to }
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let schedule = Discrete::linear(1e-4, 0.02, 1000)?;
    let component = |mean| Component { weight: 1.0, mean, std: 0.3 };
    let model = Mixture::new([[2.0, 0.5], [-2.0, 0.5], [0.0, -2.0]].map(component).into()).ok_or("no mixture")?;
    let start = BrownianPath::new(7).normal(&[0.0; 2]);
    let limit = {
        let (grid, mut noise) = (Spacing::Karras { rho: 7.0 }.grid(&schedule, 1000)?, BrownianPath::new(7));
        ode::heun(Run::new(start, &grid, &schedule, &model, &mut noise)).last().map_or(start, |step| step.x)
    };
    println!("steps  distance from the limit");
    for steps in [5, 10, 20, 40, 80] {
        let grid = Spacing::Karras { rho: 7.0 }.grid(&schedule, steps)?;
        let mut noise = BrownianPath::new(7);
        let run = Run::new(start, &grid, &schedule, &model, &mut noise);
        let end = with_momentum(run).last().map_or(start, |step| step.x);
        println!("{steps:5}  {:.1e}", (end[0] - limit[0]).hypot(end[1] - limit[1]));
    }
    Ok(())
}
