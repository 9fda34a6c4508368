//! The laws of the methods that choose their own steps.

use super::grids::{Between, exploding, processes};
use super::plane::{Point, Seeded, Waves, distance, flow_map, mixture};
use unnoise::denoise::Denoiser;
use unnoise::math::{Grid, Latent, Level, Noise};
use unnoise::samplers::{GaveUp, Run, Step, Tally, Tuning, method, methods};

/// The ids of the adaptive rows.
fn ids() -> Vec<&'static str> {
    let ids: Vec<_> = methods::<Point>().iter().filter(|row| row.on_its_own().is_some()).map(|row| row.id).collect();
    assert!(!ids.is_empty());
    ids
}

/// A whole run: what a session does, without waiting for a device.
fn drive(
    id: &str,
    start: Point,
    grid: &Grid,
    model: &dyn Denoiser<Point>,
    knobs: &[(&str, f64)],
) -> (Vec<Step<Point>>, Tally, Option<GaveUp>) {
    let row = method::<Point>(id).expect("a row of the table");
    let knob = |id| row.knob(id).unwrap_or_else(|| panic!("{} has no {id}", row.id));
    let tuning = knobs.iter().fold(Tuning::default(), |tuning, (id, value)| tuning.with(knob(id), *value));
    let sampler = row.on_its_own().expect("an adaptive row");
    let (schedule, noise) = (Between(grid), &mut Waves(0));
    let mut run = sampler(Run::new(start, grid, &schedule, model, noise).with_tuning(tuning));
    let mut steps = Vec::new();
    while let Some(error) = run.attempt() {
        match run.judge(error.rms()[0]) {
            Ok(step) => steps.extend(step),
            Err(why) => {
                assert!(run.attempt().is_none(), "{id} goes on after it gave up");
                return (steps, run.tally(), Some(why));
            }
        }
    }
    (steps, run.tally(), None)
}

fn tolerance(value: f64) -> [(&'static str, f64); 2] {
    [("tolerance", value), ("absolute-tolerance", value)]
}

/// The steps chain from the grid's first level to its last.
fn assert_whole(name: &str, steps: &[Step<Point>], tally: Tally, grid: &Grid) {
    assert_eq!(steps.len(), tally.accepted, "{name}");
    assert_eq!((steps[0].from, steps[steps.len() - 1].to), (grid.first(), grid.last()), "{name}");
    for pair in steps.windows(2) {
        assert_eq!(pair[0].to, pair[1].from, "{name}");
    }
    assert!(steps.iter().all(|step| step.to.nsr() < step.from.nsr()), "{name} steps back");
}

/// A thousandth of the tolerance makes the error a hundred to ten thousand times smaller, down to the last digits.
#[test]
fn the_error_falls_with_the_tolerance() {
    let model = mixture();
    for process in processes() {
        let grid = process.inner(8);
        let start = [0.9, -0.4].scale(grid.first().marginal_std());
        let truth = flow_map(&model, &start, &grid);
        for id in ids() {
            let error = |allowed| {
                let (steps, tally, why) = drive(id, start, &grid, &model, &tolerance(allowed));
                assert_eq!(why, None);
                assert_whole(id, &steps, tally, &grid);
                distance(&steps[steps.len() - 1].x, &truth)
            };
            let errors = [1e-4, 1e-7, 1e-10].map(error);
            println!("{id} in {}: {errors:?}", process.name);
            for (error, allowed) in errors.iter().zip([1e-4, 1e-7, 1e-10]) {
                assert!(*error < 20.0 * allowed, "{id} in {}: {error:e} at {allowed:e}", process.name);
            }
            assert!(errors[0] > 1e-7, "{id} in {} takes no notice of the tolerance", process.name);
            assert!(errors[2] < 1e-8);
        }
    }
}

/// The lengths of the steps follow their errors, which are small differences: rounding moves the levels more than the
/// end.
#[test]
fn adaptive_trajectories_are_the_same_in_every_process() {
    let model = mixture();
    for process in processes() {
        let grid = process.inner(20);
        let rescaled = exploding(&grid);
        let start: Point = [11.0, -6.0].scale(grid.first().sigma);
        for id in ids() {
            let (here, ..) = drive(id, start, &grid, &model, &[]);
            let (there, ..) = drive(id, start.scale(1.0 / grid.first().alpha), &rescaled, &model, &[]);
            assert_eq!(here.len(), there.len());
            for (a, b) in here.iter().zip(&there) {
                let apart = (a.to.nsr() / b.to.nsr() - 1.0).abs();
                assert!(apart < 1e-8, "{id} in {}: a level is {apart:e} from the rescaled one", process.name);
            }
            let (a, b) = (here[here.len() - 1].x.scale(1.0 / grid.last().alpha), there[there.len() - 1].x);
            let gap = distance(&a, &b);
            assert!(gap < 1e-9, "{id} in {}: {gap:e} from the rescaled trajectory", process.name);
        }
    }
}

/// From pure noise and to the clean level, in however few steps the grid has.
#[test]
fn an_adaptive_run_hits_a_point_mass_exactly() {
    let point = [0.3, -1.7];
    for (process, steps) in processes().iter().flat_map(|p| [1, 2, 7].map(|n| (p, n))) {
        let grid = process.whole(steps);
        let start = Seeded::new(5).normal(&point).scale(grid.first().marginal_std());
        for id in ids() {
            let (taken, tally, why) = drive(id, start, &grid, &|_: &Point, _: Level| point, &[]);
            assert_eq!(why, None, "{id} in {steps} steps of {}", process.name);
            assert_whole(id, &taken, tally, &grid);
            let end = &taken[taken.len() - 1];
            assert_eq!((end.x, end.denoised), (point, point), "{id} in {steps} steps of {}", process.name);
        }
    }
}

/// A first step that is far too long is rejected until it is short enough, and every rejection is counted.
#[test]
fn rejected_attempts_are_counted() {
    let model = mixture();
    let levels = [20.0, 0.05].map(|nsr| Level::variance_exploding(nsr, nsr));
    let grid = Grid::new(levels.to_vec()).expect("falls");
    for id in ids() {
        let (steps, tally, _) = drive(id, [11.0, -6.0], &grid, &model, &tolerance(1e-6));
        assert_whole(id, &steps, tally, &grid);
        assert!(tally.rejected > 1, "{id}: {tally:?}");
        assert!(distance(&steps[steps.len() - 1].x, &flow_map(&model, &[11.0, -6.0], &grid)) < 1e-4);
    }
}

/// NaN, infinities from some level on, and an estimate that no step is short enough for.
#[test]
fn a_model_that_gives_no_finite_values_ends_the_run_in_words() {
    let exact = mixture();
    let never = |_: &Point, _: Level| [f64::NAN; 2];
    let late = |x: &Point, at: Level| if at.nsr() < 1.0 { [f64::INFINITY; 2] } else { exact.denoise(x, at) };
    let models: [(&str, &dyn Denoiser<Point>); 2] = [("never", &never), ("late", &late)];
    for process in processes() {
        for (grid, (name, model)) in [process.whole(9), process.inner(4)].iter().flat_map(|g| models.map(|m| (g, m))) {
            for id in ids() {
                let start = Seeded::new(5).normal(&[0.0; 2]).scale(grid.first().marginal_std());
                let (steps, tally, why) = drive(id, start, grid, model, &[]);
                let why = why.unwrap_or_else(|| panic!("{id} ends with {name} in {}: {tally:?}", process.name));
                assert!(tally.rejected >= 40 && tally.rejected < 200, "{id}: {tally:?}");
                assert!(steps.iter().all(|step| step.x.iter().all(|v| v.is_finite())), "{id} took a step of {name}");
                assert!(why.to_string().contains("no step was good enough"), "{why}");
            }
        }
    }
}

/// What k-diffusion 0.1.1.post1 gives in float64 for `sample_dpm_adaptive(mixture, [[11, -6]], 0.03, 14, order, rtol,
/// atol, eta, s_noise=0.9)` with [`Waves`] for noise: its accepted and rejected steps, some levels with their points, and
/// the end.
#[test]
fn dpm_adaptive_is_k_diffusions() {
    let levels = [14.0, 0.03].map(|nsr| Level::variance_exploding(nsr, nsr));
    let grid = Grid::new(levels.to_vec()).expect("falls");
    type Recorded<'a> = (usize, f64, f64, f64, Tally, &'a [(usize, f64, Point)]);
    let recorded: [Recorded<'_>; 4] = [
        (
            3,
            0.05,
            0.0078,
            0.0,
            Tally { accepted: 9, rejected: 3 },
            &[
                (0, 13.317211943009996, [10.476564566221585, -5.718554791975225]),
                (4, 0.8066689042932561, [1.3462504317363497, -1.059665580606212]),
                (8, 0.03, [0.9668238708671041, -1.436701613553245]),
            ],
        ),
        (
            2,
            0.05,
            0.0078,
            0.0,
            Tally { accepted: 11, rejected: 2 },
            &[
                (4, 1.6244089602452774, [1.8146322423884427, -1.1179190761339055]),
                (10, 0.03, [0.9728075503903676, -1.4585826457096267]),
            ],
        ),
        (
            3,
            0.001,
            0.0001,
            0.0,
            Tally { accepted: 17, rejected: 4 },
            &[
                (8, 0.7198419649059103, [1.2690746990502246, -1.0942409301552523]),
                (16, 0.03, [0.9477323205525789, -1.4564635864885165]),
            ],
        ),
        (
            3,
            0.05,
            0.0078,
            0.5,
            Tally { accepted: 9, rejected: 3 },
            &[
                (0, 13.317211943009996, [11.910029228337416, -6.422204645671841]),
                (4, 1.0425455784764157, [0.8315178579908973, -1.1190856260719553]),
                (8, 0.03, [0.6866780857028405, -1.481215763461313]),
            ],
        ),
    ];
    for (order, relative, absolute, eta, tally, points) in recorded {
        let knobs = [
            ("order", order as f64),
            ("tolerance", relative),
            ("absolute-tolerance", absolute),
            ("eta", eta),
            ("noise-scale", 0.9),
        ];
        let (steps, counted, _) = drive("dpm-adaptive", [11.0, -6.0], &grid, &mixture(), &knobs);
        assert_eq!(counted, tally, "order {order} at {relative}, eta {eta}");
        for (i, nsr, x) in points {
            assert!(
                (steps[*i].to.nsr() - nsr).abs() < 1e-9 * nsr,
                "order {order}, eta {eta}, step {i} to {:?}",
                steps[*i].to
            );
            assert!(
                distance(&steps[*i].x, x) < 1e-9,
                "order {order}, eta {eta}, step {i}: {:?} is not {x:?}",
                steps[*i].x
            );
        }
    }
}
