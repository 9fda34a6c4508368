//! The laws that every row of the sampler table obeys: in f64, with exact denoisers, without a GPU.
//!
//! Each test goes over [`unnoise::samplers::methods`], so a new row is held to all of them. What a row cannot obey by its definition is
//! written down in [`exceptions`] and in [`limit_variance`].

mod adaptive;
mod affine;
mod case;
mod exceptions;
mod few_step;
mod grids;
mod plane;
mod rows;
mod sde;

use affine::{Affine, Gaussian, Independent};
use case::Case;
use exceptions::*;
use grids::{Between, exploding, processes};
use plane::{Point, Seeded, distance, flow_map, mixture};
use proptest::prelude::*;
use std::cell::Cell;
use unnoise::denoise::Denoiser;
use unnoise::math::{Grid, Latent, Level, Noise, NoiseSchedule};
use unnoise::samplers::Step;
use unnoise::samplers::few_step::tcd::GAMMA;
use unnoise::samplers::langevin::annealed::{STEP_SIZE, TEMPERATURE};
use unnoise::samplers::langevin::predictor_corrector::SNR;

/// The variance that a method's points take on as the steps of `grid` grow: the marginal's, for most.
///
/// The distribution that an unadjusted Langevin chain settles on is wider by a known factor: at step size `d s^2` and temperature
/// `T` the variance `v` (of `y`, on data that makes it `V` in truth) obeys `v = (1 - d s^2 / 2V)^2 v + T d s^2`. That of
/// predictor-corrector's steps, whose size depends on `v` itself, is `V (1 + snr^2)`.
///
/// Whoever takes estimates for pictures lacks what the estimate leaves open. With `k` of the noise kept and `r` the slope
/// of the estimate, `v = (r (1 - k) + k)^2 v + s^2 (1 - k^2)`.
fn limit_variance<X>(case: &Case<X>, data: Gaussian, at: Level, grid: &Grid) -> f64 {
    let (marginal, tuning) = (data.variance(at), &case.tuning);
    match case.row.id {
        "langevin" => {
            let step = tuning.get(&STEP_SIZE) * at.sigma * at.sigma;
            tuning.get(&TEMPERATURE) * marginal / (1.0 - step / (4.0 * marginal))
        }
        "predictor-corrector" => marginal * (1.0 + tuning.get(&SNR).powi(2)),
        row if TAKES_ESTIMATES_FOR_PICTURES.contains(&row) => {
            // To the clean level comes what the last noisy one was.
            let noisy = if at.sigma > 0.0 { at } else { grid.pairs().last().expect("a step").0 };
            let landing = Between(grid).level((1.0 - tuning.get(&GAMMA)) * noisy.t).nsr();
            let kept = if row == "tcd" && noisy.alpha > 0.0 { landing / noisy.nsr() } else { 0.0 };
            let slope = (at.alpha * data.std).powi(2) / marginal;
            marginal * (1.0 + kept) / (1.0 + kept + slope * (1.0 - kept))
        }
        _ => marginal,
    }
}

/// All moments of a run on Gaussian data that starts from the first level's marginal, as wide as the method has it.
fn moments(case: &Case<Affine>, data: Gaussian, grid: &Grid) -> Vec<Step<Affine>> {
    let schedule = Between(grid);
    let widened = limit_variance(case, data, grid.first(), grid) / data.variance(grid.first());
    let mut start = data.marginal(grid.first());
    start.spread[0] *= widened.sqrt();
    case.start(start, (grid, &schedule), &data, &mut Independent::default()).collect()
}

/// The steps of a point in the plane.
fn steps_of(case: &Case<Point>, start: Point, grid: &Grid, model: &dyn Denoiser<Point>, seed: u64) -> Vec<Step<Point>> {
    case.start(start, (grid, &Between(grid)), model, &mut Seeded::new(seed)).collect()
}

fn last<X: Clone>(steps: &[Step<X>]) -> X {
    steps.last().expect("a grid has a step").x.clone()
}

/// The order that an error shows between `steps` and twice as many, against the one that the row declares.
fn assert_order(case: &str, declared: usize, error: impl Fn(usize) -> f64, steps: usize) {
    let measured = (error(steps) / error(2 * steps)).log2();
    println!("{case:32} order {declared} measured {measured:.3}");
    // Order 5 reaches the last digits in a few hundred steps; in fewer the next order still shows.
    let leeway = if declared > 4 { 0.35 } else { 0.15 };
    assert!((measured - declared as f64).abs() <= leeway, "{case}: declared {declared}, measured {measured:.3}");
}

/// Relative error of a step's standard deviation.
fn spread_error(case: &Case<Affine>, step: &Step<Affine>, data: Gaussian, grid: &Grid) -> f64 {
    ((step.x.variance() / limit_variance(case, data, step.to, grid)).sqrt() - 1.0).abs()
}

/// Weak order, of deterministic rows too: the spread of the last point. The moments are exact, so nothing but the
/// method's own error is measured. (The mean has none: see [`marginals_are_right_at_every_level`].)
#[test]
fn order_on_gaussian_data() {
    // Errors of both signs may cancel on one datum; they do not on two.
    let data = [0.5, 0.8].map(|std| Gaussian { mean: 0.7, std });
    for process in processes() {
        for case in Case::all() {
            let cancels = process.name == "flow" && CANCELS_IN_A_FLOW.contains(&(case.row.id, case.order()));
            if cancels || case.shows_no_order_in(&process) || case.lands_between() {
                continue;
            }
            let easy = EASY_ON_GAUSSIANS.iter().find(|(row, _)| *row == case.row.id);
            let order = easy.map_or(case.order(), |(_, order)| *order);
            let error = |steps| {
                let grid = case.grid(&process, steps);
                data.map(|data| spread_error(&case, &moments(&case, data, &grid)[grid.steps() - 1], data, &grid))
                    .iter()
                    .sum()
            };
            // Where each noise drawn is a coefficient, twice the steps take four times as long.
            let steps = match case.draws_noise() {
                false => [1020, 1020, 2040, 510, 170][order - 1],
                true if SHOWS_ITS_ORDER_LATE.contains(&case.row.id) => 512,
                true => 256,
            };
            assert_order(&format!("{} {}", process.name, case.name()), order, error, steps);
        }
    }
}

/// Order of the deterministic methods on data whose denoiser is not affine, against the probability flow itself.
#[test]
fn order_on_a_mixture() {
    let model = mixture();
    for process in processes() {
        let cases = Case::<Point>::all().into_iter().filter(|c| !c.draws_noise());
        for case in cases.filter(|c| !c.shows_no_order_in(&process)) {
            let error = |steps| {
                let grid = case.grid(&process, steps);
                let off = |start: Point| {
                    let start = start.scale(grid.first().marginal_std());
                    distance(&last(&steps_of(&case, start, &grid, &model, 0)), &flow_map(&model, &start, &grid))
                };
                [[0.9, -0.4], [-0.2, 0.7], [0.1, -1.2]].map(off).iter().sum()
            };
            assert_order(
                &format!("mixture {} {}", process.name, case.name()),
                case.order(),
                error,
                [1020, 1020, 1020, 1536, 360][case.order() - 1],
            );
        }
    }
}

/// For data that is one point the estimate is that point, and the last step lands on it to the last bit.
#[test]
fn a_point_mass_is_hit_exactly() {
    let point = [0.3, -1.7];
    for (process, steps) in processes().iter().flat_map(|p| [1, 2, 7].map(|n| (p, n))) {
        let grid = process.whole(steps);
        for case in Case::all() {
            let start = Seeded::new(5).normal(&point).scale(grid.first().sigma);
            let end = last(&steps_of(&case, start, &grid, &|_: &Point, _: Level| point, 11));
            let name = format!("{} in {steps} steps of {}", case.name(), process.name);
            let noisy = ENDS_NOISY.contains(&case.row.id) && case.draws_noise();
            match SKIPS.iter().find(|(row, _)| *row == case.row.id) {
                Some((_, part)) => assert!(distance(&end, &point) < part * distance(&start, &point), "{name}: {end:?}"),
                None => assert!(noisy || end == point, "{name}"),
            }
        }
    }
}

/// `x / alpha` does not know which process it came from: with the same noise every process has the same trajectory.
#[test]
fn trajectories_are_the_same_in_every_process() {
    let model = mixture();
    for process in processes() {
        let grid = process.inner(20);
        let rescaled = exploding(&grid);
        for case in Case::all() {
            let start: Point = [11.0, -6.0].scale(grid.first().sigma);
            let here = steps_of(&case, start, &grid, &model, 3);
            let there = steps_of(&case, start.scale(1.0 / grid.first().alpha), &rescaled, &model, 3);
            let gap = |(a, b): (&Step<Point>, &Step<Point>)| distance(&a.x.scale(1.0 / a.to.alpha), &b.x);
            let gap = here.iter().zip(&there).map(gap).fold(0.0, f64::max);
            let name = format!("{} in {}", case.name(), process.name);
            match BOUND_TO_ITS_PROCESS.iter().find(|(row, _)| *row == case.row.id) {
                Some((_, why)) if process.name != "ve" => assert!(gap > 0.01, "{name} obeys, although it {why}"),
                _ => assert!(gap < 1e-9, "{name}: {gap:e} from the rescaled trajectory"),
            }
        }
    }
}

/// On the whole way from noise to clean the points have the marginal's mean and variance.
///
/// The mean is exact whatever the steps, as every method moves along the line through the data's mean. The spread errs
/// by less than 2.5% at 512 steps (first order with a constant below 13), and twice the steps bring it to 0.7 of that or
/// less. It need not be a half or a quarter: the last step to the clean level is of first order in every method, and
/// Langevin's chain stands still before the noise is gone. The last step of the exploding process, from a noise of 1e-3
/// on data 0.5 wide whatever the steps, errs by half the square of their ratio.
#[test]
fn marginals_are_right_at_every_level() {
    let data = Gaussian { mean: 0.7, std: 0.5 };
    for process in processes() {
        for case in Case::all().iter().filter(|case| !case.lands_between()) {
            let name = format!("{} in {}", case.name(), process.name);
            let worst = |steps| {
                let grid = process.whole(steps);
                let mut taken = moments(case, data, &grid);
                if ROUGH_IN_MUCH_NOISE.contains(&case.row.id) {
                    taken.retain(|step| step.to.nsr() < NOT_MUCH_NOISE);
                }
                let skipped = SKIPS.iter().find(|(row, _)| *row == case.row.id).map_or(1e-11, |(_, part)| *part);
                let allowed = if MEAN_ERRS.contains(&case.row.id) { 0.025 } else { skipped };
                for step in &taken {
                    let off = (step.x.mean - step.to.alpha * data.mean).abs();
                    assert!(off < allowed * step.to.marginal_std(), "{name}: mean off by {off:e} at {:?}", step.to);
                }
                // Langevin's chain has not run before its second step, as the first may slide from pure noise.
                let settling = usize::from(case.row.id == "langevin");
                taken[settling..].iter().map(|step| spread_error(case, step, data, &grid)).fold(0.0, f64::max)
            };
            let (coarse, fine) = (worst(512), worst(1024));
            if WRONG_ON_UNEQUAL_STEPS.contains(&case.row.id) && process.name != "ve" {
                assert!(fine > 0.025, "{name} is right after all");
                continue;
            }
            let most = if TAKES_NOISE_IN_GROUPS.contains(&case.row.id) { 0.05 } else { 0.025 };
            assert!(coarse < most, "{name}: {coarse:.2e} from the marginal");
            assert!(
                fine < (0.7 * coarse).max(2.2e-6),
                "{name}: {coarse:.2e} from the marginal, {fine:.2e} with twice the steps"
            );
        }
    }
}

/// Ho et al. 2020, section 3.2: with an exact denoiser and any number of steps the small variance is exact for data
/// that is one point, and the large one for standard normal data in a variance-preserving process.
#[test]
fn each_ddpm_variance_is_exact_for_its_data() {
    let grid = processes()[0].inner(4);
    for (row, std) in [("ddpm", 0.0), ("ddpm-large", 1.0)] {
        let data = Gaussian { mean: 0.7, std };
        let case = Case::<Affine>::of(row).remove(0);
        for step in moments(&case, data, &grid) {
            assert!(spread_error(&case, &step, data, &grid) < 1e-12, "{row} at {:?}", step.to);
        }
    }
}

/// A run is lazy, ends where its grid ends, asks the model as often as its row says, and draws noise if its row says
/// so; a run that is dropped evaluates no more; the same noise gives the same trajectory.
#[test]
fn a_run_does_what_its_row_says() {
    let exact = mixture();
    for process in processes() {
        let grid = process.whole(6);
        let schedule = Between(&grid);
        for case in Case::all() {
            let asked = Cell::new(0);
            let model = |x: &Point, at: Level| {
                asked.set(asked.get() + 1);
                exact.denoise(x, at)
            };
            let name = format!("{} in {}", case.name(), process.name);
            let resamples = RESAMPLES.contains(&case.row.id);
            let mut noise = Seeded::new(7);
            let mut run = case.start([1.0, 2.0], (&grid, &schedule), &model, &mut noise);
            assert_eq!(asked.get(), 0, "{name} evaluates before its first step is requested");
            let mut ends = Vec::new();
            for (i, (from, to)) in grid.pairs().enumerate() {
                let before = asked.get();
                let step = run.next().expect("one step a pair of levels");
                let evaluations = asked.get() - before;
                assert_eq!((step.from, step.to), (from, to), "{name}");
                if !resamples && (from.alpha == 0.0 || to.sigma == 0.0) {
                    assert!((1..=case.row.evaluations).contains(&evaluations), "{name}: {evaluations} at an end");
                } else if !resamples {
                    assert_eq!(evaluations, case.evaluations(i), "{name} from {from:?}");
                }
                ends.push(step.x);
            }
            let total = asked.get();
            assert!(run.next().is_none() && asked.get() == total, "{name} goes on after the last level");
            drop(run);
            assert_eq!(noise.drawn > 0, case.draws_noise(), "{name}: {} draws", noise.drawn);

            asked.set(0);
            let mut noise = Seeded::new(7);
            let taken = case.start([1.0, 2.0], (&grid, &schedule), &model, &mut noise).take(3);
            assert_eq!(taken.map(|s| s.x).collect::<Vec<_>>(), ends[..3], "{name} is not repeatable");
            let most = (0..3).map(|i| case.evaluations(i)).sum();
            assert!(resamples || asked.get() <= most, "{name} evaluates after it was dropped");
        }
    }
}

prop_compose! {
    /// Any grid: 1 to 9 levels with noise-to-signal ratios within 1e-8..1e8 in any scaling of the data, from pure noise
    /// or not, to the clean level or not.
    fn any_grid()(
        ratios in prop::collection::btree_set(-8_000_000..8_000_000i32, 1..10),
        scales in prop::collection::vec(1e-4..1e4f64, 10),
        flavour in 0..4usize,
        pure in any::<bool>(),
        clean in any::<bool>(),
    ) -> Grid {
        let clean = clean || ratios.len() == 1;
        let level = |(i, exponent): (usize, &i32)| {
            let s = 10f64.powf(f64::from(*exponent) * 1e-6);
            let alpha = [1.0 / 1f64.hypot(s), 1.0, 1.0 / (1.0 + s), scales[i]][flavour];
            Level { t: 1e7 + f64::from(*exponent), alpha, sigma: s * alpha }
        };
        let noise = pure.then_some(Level { t: 1e9, alpha: 0.0, sigma: 1.0 });
        let levels = noise.into_iter().chain(ratios.iter().rev().enumerate().map(level)).chain(clean.then_some(Level::CLEAN));
        Grid::new(levels.collect()).expect("the ratios fall")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No valid grid brings a method to a panic or to a number that is not finite, and the clean level is the estimate.
    #[test]
    fn every_grid_gives_finite_points(grid in any_grid(), seed in any::<u64>()) {
        let model = mixture();
        for case in Case::all() {
            let start = Seeded::new(seed).normal(&[0.0; 2]).scale(grid.first().marginal_std());
            let taken = steps_of(&case, start, &grid, &model, !seed);
            prop_assert_eq!(taken.len(), grid.steps());
            for step in &taken {
                let values = step.x.iter().chain(&step.denoised);
                prop_assert!(values.copied().all(f64::is_finite), "{}: {:?}", case.name(), step);
                if step.to == Level::CLEAN {
                    prop_assert_eq!(step.x, step.denoised);
                }
            }
        }
    }
}
