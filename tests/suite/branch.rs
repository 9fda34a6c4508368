//! Branches: runs that go on from a step of another one.
#![cfg(feature = "cpu")]

use crate::selftest::model;
use burn::tensor::Tensor;
use futures_util::TryStreamExt;
use pollster::block_on;
use unnoise::backend::{self, ImageNoise};
use unnoise::math::{Latent, Noise, Spacing};
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::samplers::{Run, Stepping, methods};
use unnoise::session::{self, Frame, Given, SessionError};
use unnoise::settings::{Class, Settings, Source};

const SIDE: usize = 12;

fn settings(sampler: &str) -> Settings {
    Settings { sampler: sampler.into(), steps: 6, images: 2, seed: 5, class: Class::One(1), ..Settings::default() }
}

fn run(model: &Pipeline, settings: &Settings) -> Vec<Frame> {
    block_on(model.frames(settings, Given::default()).try_collect()).unwrap()
}

fn fault(settings: &Settings) -> SessionError {
    let frames: Result<Vec<Frame>, _> = block_on(model().frames(settings, Given::default()).try_collect());
    frames.unwrap_err()
}

fn branch(wanted: Settings, of: &Settings, step: usize) -> Settings {
    wanted.branch(of, step).unwrap().settings
}

/// What differs in nothing that acts, and so begins a leg that must go on as if there was none.
fn same_but_for_a_leg(settings: &Settings) -> Settings {
    Settings { perp_weight: 0.5, ..settings.clone() }
}

/// A frame's step, the number of steps, its point and the estimate.
type Point<'a> = (usize, Option<usize>, &'a [f32], Option<&'a [f32]>);

/// The points of frames, and where they are.
fn points(frames: &[Frame]) -> Vec<Point<'_>> {
    frames.iter().map(|frame| (frame.step, frame.steps, &frame.x[..], frame.denoised.as_deref())).collect()
}

/// Whether a method remembers earlier steps, which a branch does not.
const REMEMBER: [&str; 3] = ["multistep", "sde", "singlestep"];

#[test]
fn where_nothing_was_changed_a_branch_is_the_run() {
    let model = model();
    for method in methods::<f64>() {
        let settings = settings(method.id);
        // As a link has it that was typed by hand: one that the page makes has no branch then.
        let leg = Settings { from: Default::default(), ..settings.clone() };
        let typed = branch(Settings { seed: 99, ..leg }, &settings, 3);
        let same = Settings { seed: settings.seed, ..typed };
        assert!(!same.from.is_empty());
        assert!(points(&run(&model, &same)) == points(&run(&model, &settings)), "{}", method.id);
    }
}

/// The streams of noise and the levels go on to the bit: a leg that changes nothing draws the same where a method has no memory,
/// from any step.
#[test]
fn a_method_without_memory_goes_on_as_if_there_was_no_branch() {
    let model = model();
    let mut count = 0;
    for method in
        methods::<f64>().iter().filter(|method| method.on_grid().is_some() && !REMEMBER.contains(&method.family))
    {
        // Restarts and the number of their steps are counted by the grid that is left.
        if ["restart", "repaint", "edm-churn"].contains(&method.id) {
            continue;
        }
        for noise in [Source::Stream, Source::Brownian] {
            let settings = Settings { noise, ..settings(method.id) };
            let whole = run(&model, &settings);
            for step in [0, 3, 5] {
                let settings = branch(same_but_for_a_leg(&settings), &settings, step);
                assert_eq!(settings.legs().len(), 2);
                assert!(points(&run(&model, &settings)) == points(&whole), "{} {noise:?} {step}", method.id);
                count += 1;
            }
        }
    }
    assert!(count >= 60, "{count}");
}

/// A changed branch is the run that one writes by hand: the sampler of the run up to the step, then the other one from there, with
/// what is left of the stream.
#[test]
fn a_changed_branch_is_a_run_made_by_hand() {
    let model = model();
    for (first, second, step) in [
        ("ddim", "dpmpp-2m", 2),
        ("dpmpp-2m", "ddpm", 3),
        ("euler-ancestral", "unipc-bh2", 4),
        ("heun", "dpmpp-2m-sde", 1),
        ("ddpm", "lms", 0),
    ] {
        let root = settings(first);
        let schedule = Spacing::Karras { rho: 7.0 };
        let wanted = Settings {
            steps: 9,
            schedule: schedule.clone().into(),
            guidance: 3.0,
            class: Class::One(0),
            ..settings(second)
        };
        let frames = run(&model, &branch(wanted.clone(), &root, step));

        let mut noise = ImageNoise::new(root.seed, root.images);
        let z = noise.normal(&Tensor::<4>::zeros([2, 1, SIDE, SIDE], &model.device));
        let grid = Spacing::Trailing.grid(&model.schedule, root.steps).unwrap();
        let steps = |settings: &Settings, start, grid: &_, noise: &mut ImageNoise, count| -> Vec<Tensor<4>> {
            let network = session::network(&model, settings).unwrap();
            let Stepping::Grid(sampler) = settings.method().unwrap().stepping else { unreachable!() };
            sampler(Run::new(start, grid, &model.schedule, &*network, noise)).map(|step| step.x).take(count).collect()
        };
        let mut by_hand = vec![z.clone().scale(grid.first().marginal_std())];
        by_hand.extend(steps(&root, by_hand[0].clone(), &grid, &mut noise, step));
        let level = grid.levels()[step];
        let rest = schedule.grid(&model.schedule, wanted.steps).unwrap().below(level).unwrap();
        assert_eq!(rest.first(), level);
        by_hand.extend(steps(&wanted, by_hand[step].clone(), &rest, &mut noise, rest.steps()));

        assert_eq!(frames.len(), by_hand.len(), "{first} {second}");
        for (frame, x) in frames.iter().zip(by_hand) {
            assert_eq!(frame.steps, Some(step + rest.steps()));
            let x = block_on(backend::read(x)).unwrap();
            assert_eq!(frame.x, x, "{first} {second}, step {}", frame.step);
        }
        assert_eq!(frames.last().unwrap().done, 1.0);
    }
}

#[test]
fn another_seed_draws_other_noise_from_the_branch_on() {
    let model = model();
    let root = settings("ddpm");
    let whole = run(&model, &root);
    let other = run(&model, &branch(Settings { seed: 50, ..root.clone() }, &root, 3));
    assert_eq!(points(&whole[..=3]), points(&other[..=3]));
    assert_ne!(whole[4].x, other[4].x);
    // Not the draw that its own run would begin with.
    let size = SIDE * SIDE;
    let mut noise = unnoise::math::TorchGenerator::new(50);
    noise.randn(size);
    let fresh = noise.randn(size);
    let (level, x) = (whole[4].level, &other[4].x[..size]);
    let correlation: f32 = x.iter().zip(&whole[4].x[..size]).zip(&fresh).map(|((a, b), n)| (a - b) * n).sum();
    assert!(correlation > 0.0, "{level:?}");
}

#[test]
fn branches_of_branches_are_computed_again_from_the_root() {
    let model = model();
    let root = settings("ddim");
    let second = branch(Settings { class: Class::One(0), ..root.clone() }, &root, 2);
    let third = branch(Settings { sampler: "dpmpp-2m".into(), ..second.clone() }, &second, 4);
    let frames = [&root, &second, &third].map(|settings| run(&model, settings));
    assert_eq!(points(&frames[0][..=2]), points(&frames[1][..=2]));
    assert_eq!(points(&frames[1][..=4]), points(&frames[2][..=4]));
    assert_ne!(frames[1][6].x, frames[2][6].x);
    // And from the link, by anybody.
    let (read, problems) = Settings::from_link(&third.to_link());
    assert_eq!(problems, vec![]);
    assert_eq!(points(&run(&model, &read)), points(&frames[2]));
}

#[test]
fn each_picture_is_its_own_whoever_draws_it() {
    let model = model();
    for (first, second) in [("ddpm", "dpmpp-2m-sde"), ("dpm-adaptive", "ddpm"), ("euler-ancestral", "dopri5")] {
        let root = Settings { images: 5, class: Class::All, ..settings(first) };
        let settings = branch(Settings { guidance: 3.0, seed: 40, sampler: second.into(), ..root.clone() }, &root, 3);
        let whole = run(&model, &settings);
        let size = SIDE * SIDE;
        for range in [0..2, 2..5] {
            let (settings, given) = settings.share(Given::default(), range.clone());
            let share: Vec<Frame> = block_on(model.frames(&settings, given).try_collect()).unwrap();
            let (share, whole) = (&share.last().unwrap().x, &whole.last().unwrap().x);
            assert_eq!(share[..], whole[range.start * size..range.end * size], "{first} {second} {range:?}");
        }
        // Whether there is a step to go on from is known of all pictures together.
        assert_eq!(settings.divisible(), first != "dpm-adaptive", "{first} {second}");
    }
}

/// Where a method chooses its steps each picture is at a level of its own, and those that are at their end stay.
#[test]
fn a_run_with_steps_of_its_own_can_be_gone_on_from() {
    let model = model();
    let root = settings("dopri5");
    let whole = run(&model, &root);
    assert!(whole.len() > 5 && whole[3].levels[0] != whole[3].levels[1], "the two pictures have other steps");
    let frames = run(&model, &branch(Settings { sampler: "ddim".into(), ..root.clone() }, &root, 3));
    assert_eq!(points(&whole[..=3]), points(&frames[..=3]));
    assert_eq!((frames.last().unwrap().done, frames.last().unwrap().steps), (1.0, None));
    assert!(frames.last().unwrap().levels.iter().all(|level| level.sigma == 0.0));
    // An adaptive leg after one on a grid.
    let grid = settings("ddim");
    let frames = run(&model, &branch(Settings { sampler: "dopri5".into(), ..grid.clone() }, &grid, 3));
    assert_eq!(frames[3].x, run(&model, &grid)[3].x);
    assert_eq!(frames.last().unwrap().done, 1.0);
}

#[test]
fn a_start_picture_is_that_of_the_whole_way() {
    let model = model();
    let pixels: Vec<u8> = (0..SIDE * SIDE).map(|p| (p * 7 % 256) as u8).collect();
    let picture = picture::from_bytes(&pixels, [1, SIDE, SIDE], [-1.0, 1.0]);
    let kept: Vec<f32> = (0..SIDE * SIDE).map(|p| if p % SIDE < 6 { 1.0 } else { 0.0 }).collect();
    let given = || Given { picture: Some(picture.clone()), kept: Some(kept.clone()), ..Given::default() };
    let draw = |settings: &Settings| -> Vec<Frame> { block_on(model.frames(settings, given()).try_collect()).unwrap() };
    let root = Settings { strength: 0.67, ..settings("ddim") };
    let whole = draw(&root);
    assert_eq!(whole.len(), 5);
    let same = draw(&branch(same_but_for_a_leg(&root), &root, 2));
    assert_eq!(points(&same), points(&whole));
    let other = draw(&branch(Settings { class: Class::One(0), ..root.clone() }, &root, 2));
    assert_ne!(other[4].x, whole[4].x);
    for (i, (x, known)) in other[4].x.iter().zip(picture.iter().cycle()).enumerate() {
        assert!(kept[i % kept.len()] < 0.5 || (x - known).abs() < 1e-6);
    }
}

#[test]
fn a_step_that_there_is_not_is_named() {
    let root = settings("ddim");
    let at = |step| fault(&branch(Settings { class: Class::One(0), ..root.clone() }, &root, step)).to_string();
    assert_eq!(
        at(6),
        "The run that this one goes on from has 6 steps, so there is nothing to go on with at step 6; choose an earlier one."
    );
    assert_eq!(at(9), at(6).replace("step 6;", "step 9;"));
    let few = Settings { schedule: Spacing::Custom([3.0].to_vec().into()).into(), steps: 1, ..root.clone() };
    // From step 4 on, the way to the clean end is all that is left.
    assert_eq!(run(&model(), &branch(few, &root, 4)).len(), 6);
    let own = settings("dopri5");
    let late = fault(&branch(Settings { class: Class::One(0), ..own.clone() }, &own, 900));
    assert!(matches!(late, SessionError::Ended { step: 900, .. }), "{late}");
}
