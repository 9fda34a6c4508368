//! The laws of stochastic methods that need more than independent noise on grids.

use super::affine::{Affine, Gaussian, Independent};
use super::grids::{Between, processes};
use super::plane::{Point, Seeded, distance};
use unnoise::denoise::ideal::{Component, Mixture};
use unnoise::math::noise::BrownianPath;
use unnoise::math::{ContinuousVp, Grid, Noise, NoiseSchedule, SubVp, Ve};
use unnoise::samplers::{Run, Step, method};

/// Methods of each kind: a plain step, a memory, two stages, and steps in the process's own coordinates.
const ROWS: [&str; 5] = ["euler-ancestral", "dpmpp-2m-sde", "seeds-2", "euler-maruyama", "flow-sde"];

fn end(row: &str, grid: &Grid, noise: &mut dyn Noise<Point>) -> Point {
    // One hill, though no Gaussian's: no path comes to a fork.
    let component = |mean| Component { weight: 1.0, mean, std: 0.5 };
    let model = Mixture::new([[0.4, 0.1], [-0.3, -0.2]].map(component).into()).expect("a law");
    let row = method::<Point>(row).expect("a row");
    let schedule = Between(grid);
    let start = [0.9, -0.4].map(|v| v * grid.first().marginal_std());
    let run = Run::new(start, grid, &schedule, &model, noise);
    row.on_grid().expect("takes the steps of a grid")(run).last().expect("a step").x
}

/// Along one Brownian path the points themselves converge, and more steps refine one picture. With independent draws
/// they do not.
#[test]
fn more_steps_along_one_path_lead_to_one_point() {
    const PATHS: u64 = 4;
    for process in processes() {
        for row in ROWS {
            let mean = |error: &dyn Fn(u64) -> f64| (0..PATHS).map(error).sum::<f64>() / PATHS as f64;
            let at = |steps, seed| end(row, &process.inner(steps), &mut BrownianPath::new(seed));
            let apart = |steps: usize| mean(&|seed| distance(&at(steps, seed), &at(4 * steps, seed)));
            let errors = [16, 256].map(apart);
            println!("{row} in {}: {errors:?}", process.name);
            // Strong order 1/2, the least that an SDE's solver has, would leave a quarter of the error.
            assert!(errors[1] < 0.25 * errors[0], "{row} in {}: {errors:?}", process.name);
            let free = |steps, seed| end(row, &process.inner(steps), &mut Seeded::new(seed));
            assert!(mean(&|seed| distance(&free(256, seed), &free(1024, seed))) > 0.1, "{row} needs no path");
        }
    }
}

/// Song et al. 2021: with the rates of the process itself, the reverse SDE's moments converge at order 1.
#[test]
fn euler_maruyama_follows_the_processes_of_score_models() {
    let data = Gaussian { mean: 0.7, std: 0.5 };
    let ve = Ve { sigma_min: 1e-3, sigma_max: 20.0 };
    let schedules: [(&str, &dyn NoiseSchedule); 3] =
        [("vp", &ContinuousVp::default()), ("sub-vp", &SubVp::default()), ("ve", &ve)];
    for (name, schedule) in schedules {
        let errors = [200, 400].map(|steps| {
            let level = |i: usize| schedule.level(0.95 - 0.8 * i as f64 / steps as f64);
            let grid = Grid::new((0..=steps).map(level).collect()).expect("falls");
            let row = method::<Affine>("euler-maruyama").expect("a row");
            let (start, noise) = (data.marginal(grid.first()), &mut Independent::default());
            let run = Run::new(start, &grid, schedule, &data, noise);
            let Step { x, to, .. } = row.on_grid().expect("takes the steps of a grid")(run).last().expect("a step");
            [x.mean - to.alpha * data.mean, x.variance() - data.variance(to)].map(f64::abs)
        });
        for (moment, (coarse, fine)) in ["mean", "variance"].iter().zip(errors[0].iter().zip(errors[1])) {
            // An exploding process does not scale the data and keeps the mean, and there the variance errs to both sides,
            // which cancels and falls faster.
            let order = (coarse / fine).log2();
            assert!(*coarse < 1e-11 || order > 0.85, "{moment} in {name}: {coarse:e}, {fine:e}");
            assert!(name == "ve" || order < 1.15, "{moment} in {name}: {coarse:e}, {fine:e}");
        }
    }
}
