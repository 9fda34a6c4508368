//! What is true of the methods that few steps are made for, and of those that take steps again, beside the laws of all.

use super::affine::{Affine, Gaussian, Independent};
use super::grids::{Between, processes};
use super::plane::{Point, Waves, distance, mixture};
use std::cell::RefCell;
use unnoise::denoise::Denoiser;
use unnoise::math::{Discrete, Grid, Latent, Level, Noise, NoiseSchedule, Ve};
use unnoise::samplers::few_step::repaint::{JUMP, RESAMPLES};
use unnoise::samplers::few_step::restart::{RESTART_MAX, RESTART_MIN};
use unnoise::samplers::few_step::tcd::GAMMA;
use unnoise::samplers::langevin::predictor_corrector::SNR;
use unnoise::samplers::{Knob, Run, Step, Tuning, method};

const DATA: Gaussian = Gaussian { mean: 0.7, std: 0.5 };

fn steps_of<X: Latent + 'static>(
    id: &str,
    start: X,
    (grid, schedule): (&Grid, &dyn NoiseSchedule),
    (model, noise): (&dyn Denoiser<X>, &mut dyn Noise<X>),
    knobs: &[(Knob, f64)],
) -> Vec<Step<X>> {
    let row = method::<X>(id).expect("a row of the table");
    let tuning = knobs.iter().fold(Tuning::default(), |tuning, (knob, value)| tuning.with(knob, *value));
    let run = Run::new(start, grid, schedule, model, noise).with_tuning(tuning);
    row.on_grid().expect("a row that takes the steps of a grid")(run).collect()
}

/// The exact consistency function of Gaussian data: where the probability flow leads at noise `least`.
fn consistency(least: f64) -> impl Fn(&Affine, Level) -> Affine {
    move |x, at| {
        let narrower = (DATA.std.powi(2) + least * least).sqrt() / DATA.variance(at).sqrt();
        let mut end = x.scale(narrower);
        end.mean += (1.0 - narrower * at.alpha) * DATA.mean;
        end
    }
}

/// With the model that these methods are made for every marginal is right, in however few steps.
#[test]
fn an_exact_consistency_function_keeps_every_marginal() {
    for (process, steps) in processes().iter().flat_map(|p| [1, 2, 5].map(|n| (p, n))) {
        let grid = process.whole(steps);
        for (id, least) in [("lcm", 0.0), ("tcd", 0.0), ("consistency", 1e-3)] {
            let ve = Ve { sigma_min: least, sigma_max: 20.0 };
            let schedule: &dyn NoiseSchedule = if least > 0.0 { &ve } else { &Between(&grid) };
            let run = (&consistency(least) as &dyn Denoiser<_>, &mut Independent::default() as &mut dyn Noise<_>);
            for step in steps_of(id, DATA.marginal(grid.first()), (&grid, schedule), run, &[(GAMMA, 1.0)]) {
                // A consistency function to a noisy picture cannot get below its noise.
                let sigma = step.to.sigma.max(least * step.to.alpha);
                let wanted = DATA.variance(Level { sigma, ..step.to });
                let off = (step.x.variance() / wanted - 1.0).abs() + (step.x.mean - step.to.alpha * DATA.mean).abs();
                assert!(off < 1e-12 * step.to.sigma.max(1.0), "{id} in {steps} steps of {}: {off:e}", process.name);
            }
        }
    }
}

/// A step keeps the noise of time `(1 - gamma) t`, and has the noise of `t`.
#[test]
fn tcd_lands_where_its_gamma_says() {
    for (process, gamma) in processes().iter().flat_map(|p| [0.3, 0.5, 0.7].map(|g| (p, g))) {
        let grid = process.whole(6);
        let schedule = Between(&grid);
        let start = DATA.marginal(grid.first());
        let mut before = start.variance();
        let run = (&DATA as &dyn Denoiser<_>, &mut Independent::default() as &mut dyn Noise<_>);
        for Step { x, from, to, .. } in steps_of("tcd", start, (&grid, &schedule), run, &[(GAMMA, gamma)]) {
            let slope = from.alpha * DATA.std.powi(2) / DATA.variance(from);
            let kept = to.alpha * schedule.level((1.0 - gamma) * to.t).nsr();
            let of_x = to.alpha * slope + kept * (1.0 - from.alpha * slope) / from.sigma;
            let wanted = of_x * of_x * before + to.sigma.powi(2) - kept * kept;
            before = x.variance();
            assert!((before / wanted - 1.0).abs() < 1e-12, "gamma {gamma} in {}: {before} at {to:?}", process.name);
        }
    }
}

/// At time 0 the point itself is the picture, whatever the network says of it; late times leave the word to the network.
#[test]
fn lcm_boundary_is_the_identity_at_time_0() {
    let at = |t| Level { t, alpha: 0.8, sigma: 0.6 };
    for (t, wanted) in [(0.0, [0.4, -0.9]), (1.0, [5.0, 6.0])] {
        let grid = Grid::new(vec![at(t), Level::CLEAN]).expect("falls");
        let run = (&|_: &Point, _: Level| [5.0, 6.0], &mut Waves(0) as &mut dyn Noise<_>);
        let end = steps_of("lcm-boundary", [0.4, -0.9], (&grid, &Ve::default()), (&run.0, run.1), &[])[0].x;
        assert!(distance(&end, &wanted) < 1e-6, "{end:?} at time {t}");
    }
}

/// The order in which levels are met, by their place in the grid.
fn visits(id: &str, ratios: &[f64], knobs: &[(Knob, f64)]) -> (Vec<usize>, usize) {
    let levels: Vec<Level> = ratios.iter().map(|nsr| Level::variance_exploding(*nsr, *nsr)).collect();
    let grid = Grid::new(levels).expect("falls");
    let seen = RefCell::new(Vec::new());
    let model = |x: &Point, at: Level| {
        seen.borrow_mut().push(ratios.iter().position(|nsr| *nsr == at.nsr()).expect("a level of the grid"));
        x.scale(0.5)
    };
    let mut noise = Waves(0);
    steps_of(id, [1.0, 2.0], (&grid, &Between(&grid)), (&model, &mut noise), knobs);
    (seen.into_inner(), noise.0)
}

#[test]
fn restart_goes_back_up_over_its_interval() {
    let ratios = [10.0, 3.0, 2.0, 1.0, 0.5, 0.1, 0.05, 0.0];
    // Heun's method asks at both ends of a step.
    let down = [2, 3, 3, 4, 4, 5];
    let wanted = [&[0, 1, 1, 2][..], &down, &down, &down, &[5, 6, 6]].concat();
    assert_eq!(visits("restart", &ratios, &[]), (wanted.clone(), 2));
    let none = [&[0, 1, 1, 2][..], &down, &[5, 6, 6]].concat();
    let ends = [(RESTART_MIN, 0.6), (RESTART_MAX, 0.9)];
    assert_eq!(visits("restart", &ratios, &ends), (none.clone(), 0), "no level lies in the interval");
    assert_eq!(visits("restart", &[10.0, 0.0], &[]), (vec![0], 0));
}

#[test]
fn repaint_takes_each_jump_as_often_as_it_says() {
    let ratios = [10.0, 3.0, 2.0, 1.0, 0.5, 0.1, 0.0];
    let knobs = [(JUMP, 2.0), (RESAMPLES, 3.0)];
    let wanted = vec![0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 4, 5];
    // Every step draws but the one to the clean level, and every jump.
    assert_eq!(visits("repaint", &ratios, &knobs), (wanted, 13 + 4));
    assert_eq!(visits("repaint", &ratios, &[(JUMP, 7.0)]).0, [0, 1, 2, 3, 4, 5], "there is no room for a jump");
}

/// Where schedulers of diffusers 0.42.1 go in float64, from (1.1, -0.6) at unit variance, on the same mixture and noise:
/// the points after each of four steps. The VP ones have `beta_schedule="scaled_linear"` from 0.00085 to 0.012,
/// ScoreSdeVe has `sigma_max=50` and a score at its `discrete_sigmas`, and its last point is `prev_sample_mean`; the
/// consistency model has `clip_denoised=False`.
#[test]
fn they_step_as_in_diffusers() {
    let scaled = Discrete::scaled_linear(0.00085, 0.012, 1000).expect("a schedule");
    let times = |last: Level| {
        let levels = [999.0, 759.0, 499.0, 259.0].map(|t| scaled.level(t));
        Grid::new([&levels[..], &[last]].concat()).expect("falls")
    };
    let exploding = |ratios: &[f64]| {
        Grid::new(ratios.iter().map(|nsr| Level::variance_exploding(*nsr, *nsr)).collect()).expect("falls")
    };
    let (clean, least) = (times(Level::CLEAN), times(scaled.level(0.0)));
    let ratios = [80.0, 16.77988949856065, 2.2404397589312026, 0.13119736304372645, 0.002];
    let (karras, edm) = (exploding(&ratios), Ve { sigma_min: 0.002, sigma_max: 80.0 });
    let logs = exploding(&[50.0, 2.924017738212867, 0.17099759466766973, 0.01, 0.0]);
    type Recorded<'a> = (&'a str, f64, &'a Grid, &'a dyn NoiseSchedule, usize, [Point; 4]);
    let recorded: [Recorded<'_>; 6] = [
        (
            "lcm-boundary",
            0.0,
            &clean,
            &scaled,
            3,
            [
                [0.8872909930108515, -0.4621460086715786],
                [1.0322477717555762, -0.7463860343061657],
                [0.7440551933275554, -0.18253488451897348],
                [1.0569165177862963, 0.05175496776739022],
            ],
        ),
        (
            "tcd",
            0.3,
            &least,
            &scaled,
            3,
            [
                [1.2551099208123526, -0.6642196383392475],
                [1.525844112711538, -0.977428175874322],
                [1.344003935851276, -0.7020139249678425],
                [1.1385500137346054, -0.8969934985914205],
            ],
        ),
        (
            "tcd",
            1.0,
            &least,
            &scaled,
            3,
            [
                [0.8944842754195281, -0.46603093278212837],
                [1.0457073423894612, -0.7532741315749149],
                [0.7648666351394207, -0.1953414180287567],
                [1.0620890685496456, 0.023612152303029824],
            ],
        ),
        (
            "tcd",
            0.0,
            &least,
            &scaled,
            0,
            [
                [1.1216364401604724, -0.6258812692604878],
                [1.1640110731277304, -0.6901277445916374],
                [1.202352744640523, -0.8323030624138477],
                [0.9686213385251019, -1.2771110984485727],
            ],
        ),
        (
            "consistency",
            0.0,
            &karras,
            &edm,
            3,
            [
                [14.31147155738853, -7.165048167535814],
                [2.2935023811864887, -1.6822301361809129],
                [0.7087516494521012, -0.582215208823809],
                [0.7028278797336726, -0.6507004897497853],
            ],
        ),
        (
            "predictor-corrector",
            0.0,
            &logs,
            &edm,
            7,
            [
                [45.81440106655115, -32.93628793245015],
                [-0.26863683669790683, -3.397291063026636],
                [-0.2880868195987801, -3.147688277654564],
                [-0.26196118540971713, -3.1392864184378464],
            ],
        ),
    ];
    for (id, eta, grid, schedule, draws, points) in recorded {
        let mut noise = Waves(0);
        let start = [1.1, -0.6].scale(grid.first().sigma.max(1.0));
        let (model, tuned) = (mixture(), [(GAMMA, eta), (SNR, 0.15)]);
        let steps = steps_of(id, start, (grid, schedule), (&model, &mut noise), &tuned);
        assert_eq!(noise.0, draws, "{id}");
        for (step, point) in steps.iter().zip(points) {
            let gap = distance(&step.x, &point) / (1.0 + point[0].abs());
            assert!(gap < 1e-9, "{id} with eta {eta}: {:?} is not {point:?} at {:?}", step.x, step.to);
        }
    }
}
