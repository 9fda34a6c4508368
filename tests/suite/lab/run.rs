//! Panes: that what walks there ends where its distribution says.

use futures_util::{StreamExt, TryStreamExt};
use pollster::block_on;
use unnoise::denoise::{Denoiser, Mixture};
use unnoise::lab::run::{Frame, RunError, Stage, guided};
use unnoise::lab::settings::{Guide, Pane};
use unnoise::lab::{Asked, Cloud, CloudNoise, Curve, Distances, Distribution, Process, Settings, data, process::Kind};
use unnoise::math::Level;
use unnoise::samplers::method;

pub fn distribution(id: &str) -> Distribution {
    data::set(id).expect("a row").distribution()
}

pub fn process(kind: Kind) -> Process {
    Process::new(kind, &Curve::default()).expect("a process")
}

pub fn pane(sampler: &str, steps: usize) -> Pane {
    Pane { sampler: sampler.to_owned(), steps }
}

fn noise(n: usize) -> Cloud {
    CloudNoise::new(3).draw(n)
}

fn end(stage: &Stage, pane: &Pane, n: usize) -> Cloud {
    block_on(stage.end(pane, &noise(n))).expect("it runs").0
}

#[test]
fn every_sampler_walks_a_cloud_on_every_process() {
    let distribution = distribution("four-gaussians");
    for (id, kind) in Kind::ALL {
        let process = process(kind);
        let stage = Stage {
            narrowest: distribution.narrowest(),
            process: &process,
            model: distribution.mixture(),
            seed: 3,
            eta: 1.0,
        };
        for sampler in Pane::samplers() {
            let (shown, z) = (pane(sampler, 6), noise(20));
            let frames: Vec<Frame> = block_on(stage.frames(&shown, &z).try_collect()).expect(sampler);
            let (first, last) = (&frames[0], &frames[frames.len() - 1]);
            assert_eq!((first.step, first.evaluations, first.denoised.is_none()), (0, 0, true), "{sampler} on {id}");
            assert!(last.steps.is_none_or(|steps| steps == last.step && steps == 6), "{sampler} on {id}");
            assert!(last.evaluations > 0 && last.denoised.is_some(), "{sampler} on {id}");
            // Langevin dynamics goes nowhere; the others end with data.
            let clean = pane(sampler, 6).row().is_none() || last.level == Level::CLEAN;
            assert!(clean, "{sampler} on {id} ends at {:?}", last.level);
        }
    }
}

#[test]
fn what_the_theory_names_ends_with_the_data() {
    let (n, distribution) = (1500, distribution("four-gaussians"));
    let wanted = distribution.draw(n, 1).x;
    for kind in [Kind::Linear, Kind::VarianceExploding, Kind::Flow] {
        let process = process(kind);
        let stage = Stage {
            narrowest: distribution.narrowest(),
            process: &process,
            model: distribution.mixture(),
            seed: 3,
            eta: 1.0,
        };
        for (sampler, steps) in
            [("ode", 40), ("reverse-sde", 300), ("annealed-langevin", 100), ("predictor-corrector", 200)]
        {
            let got = end(&stage, &pane(sampler, steps), n);
            let Distances { sliced_wasserstein, .. } = Distances::between(&got, &wanted);
            // Two draws of so many points are about 0.07 apart; the Langevin methods settle on a little too much width.
            assert!(sliced_wasserstein < 0.25, "{sampler} in {kind:?}: {sliced_wasserstein}");
        }
    }
}

/// The chain's variance is that of its level over `1 - e / 4V`, where `e` is half of it.
#[test]
fn langevin_dynamics_settles_on_the_law_of_its_level() {
    let distribution = distribution("one-gaussian");
    let [part] = distribution.mixture().components() else { panic!("it is one Gaussian") };
    let process = process(Kind::Linear);
    let stage = Stage {
        narrowest: distribution.narrowest(),
        process: &process,
        model: distribution.mixture(),
        seed: 3,
        eta: 1.0,
    };
    let x = end(&stage, &pane("langevin", 100), 4000);
    let mean = |f: &dyn Fn(&[f64; 2]) -> f64| x.0.iter().map(f).sum::<f64>() / x.0.len() as f64;
    let at = unnoise::math::NoiseSchedule::level_at(process.schedule(), 0.5 * part.std);
    let expected = (at.alpha * part.std).hypot(at.sigma).powi(2) / (1.0 - 0.5 / 4.0);
    for k in 0..2 {
        let centre = mean(&|x| x[k]);
        let variance = mean(&|x| (x[k] - centre).powi(2));
        // Four standard errors of a variance of 4000 points.
        assert!((variance / expected - 1.0).abs() < 4.0 * (2.0 / 4000.0_f64).sqrt(), "{variance} is not {expected}");
    }
}

#[test]
fn panes_start_alike_and_stop_when_they_are_told() {
    let (distribution, process) = (distribution("moons"), process(Kind::Flow));
    let stage = Stage {
        narrowest: distribution.narrowest(),
        process: &process,
        model: distribution.mixture(),
        seed: 3,
        eta: 1.0,
    };
    let first = |pane: &Pane| {
        let z = noise(30);
        let seen: Vec<Frame> = block_on(stage.frames(pane, &z).take(2).try_collect()).expect("it runs");
        assert_eq!(seen.len(), 2);
        seen[0].x.clone()
    };
    assert_eq!(first(&pane("ddim", 20)), first(&pane("langevin", 100)));
    assert_eq!(method::<Cloud>("ddim").map(|row| row.id), pane("ddim", 1).row());
}

/// With the exact model, both ways of guidance are one at scale 1, and they lead to the class.
#[test]
fn guidance_leads_to_the_class() {
    let (distribution, process) = (distribution("four-gaussians"), process(Kind::Linear));
    let class = 2;
    let centre = distribution.only(class).expect("a class").components()[0].mean;
    assert_eq!(distribution.alone(class).expect("a class").mixture(), distribution.only(class).expect("a class"));
    assert_eq!(distribution.alone(4), None);
    let walk = |guide, guidance| {
        let settings = Settings { class: Some(class), guide, guidance, ..Settings::default() };
        let model = guided(&settings, &distribution, distribution.mixture().clone(), |exact| exact, None::<Asked>);
        let stage = Stage { narrowest: distribution.narrowest(), process: &process, model: &*model, seed: 3, eta: 1.0 };
        end(&stage, &pane("ddim", 30), 200)
    };
    let (free, led) = (walk(Guide::Free, 1.0), walk(Guide::Classifier, 1.0));
    for (a, b) in free.0.iter().zip(&led.0) {
        assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-6, "{a:?} is not {b:?}");
        assert!((a[0] - centre[0]).hypot(a[1] - centre[1]) < 3.0, "{a:?} is far from {centre:?}");
    }
    assert!(walk(Guide::Free, 4.0) != free, "the scale changes nothing");
}

#[test]
fn numbers_that_are_none_are_an_error() {
    let (distribution, process) = (distribution("moons"), process(Kind::Linear));
    let broken = |x: &Cloud, _: Level| x.map(|_| [f64::NAN; 2]);
    let model: &dyn Denoiser<Cloud> = &broken;
    let stage = Stage { narrowest: distribution.narrowest(), process: &process, model, seed: 3, eta: 1.0 };
    let end = block_on(stage.end(&pane("ddim", 5), &noise(4)));
    assert!(matches!(end, Err(RunError::NotFinite { step: 1 })), "{end:?}");
    let exact: &Mixture<2> = distribution.mixture();
    assert!(block_on(Stage { model: exact, ..stage }.end(&pane("ddim", 5), &noise(4))).is_ok());
}
