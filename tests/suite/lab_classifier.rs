//! The learned classifier of the laboratory: that it learns what the distribution knows, and leads where the exact one leads.
#![cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]

use pollster::block_on;
use unnoise::denoise::{Classifier, ClassifierGuided};
use unnoise::lab::classifier::{ClassifierLearner, LearnedClassifier};
use unnoise::lab::data::{set, sets};
use unnoise::lab::process::Kind;
use unnoise::lab::run::Stage;
use unnoise::lab::settings::Pane;
use unnoise::lab::{Asked, Cloud, CloudNoise, Curve, Distances, Distribution, Process};
use unnoise::math::Latent;

fn process(kind: Kind) -> Process {
    Process::new(kind, &Curve::default()).expect("a process")
}

fn distribution(id: &str) -> Distribution {
    set(id).expect("a row").distribution()
}

fn trained(distribution: &Distribution, process: &Process, steps: usize) -> ClassifierLearner {
    let learner =
        ClassifierLearner::new(distribution.clone(), process.clone(), 0).expect("classes that a network can have");
    let mut learner = learner.expect("more than one class");
    learner.train(steps);
    learner
}

fn classifier(distribution: &Distribution, process: &Process) -> LearnedClassifier {
    trained(distribution, process, ClassifierLearner::ENOUGH).learned()
}

#[test]
fn the_classes_of_every_data_set_are_learned() {
    let process = process(Kind::Linear);
    for set in sets() {
        let distribution = set.distribution();
        if distribution.classes() == 1 {
            assert!(
                ClassifierLearner::new(distribution, process.clone(), 0).expect("one class").is_none(),
                "{}",
                set.id
            );
            continue;
        }
        let (after, exact) = trained(&distribution, &process, ClassifierLearner::ENOUGH).loss();
        // What 1000 steps of a network this small leave: 0.034 nats on the moons, whose edge is sharpest, under 0.02 elsewhere.
        assert!(after < exact + 0.05, "{}: {after:.4}, of the exact classifier {exact:.4}", set.id);
    }
}

#[test]
fn every_process_has_its_classifier() {
    for (id, kind) in Kind::ALL {
        let (after, exact) = trained(&distribution("four-gaussians"), &process(kind), ClassifierLearner::ENOUGH).loss();
        // At most 0.0012 nats as trained; other arithmetic may end a little elsewhere.
        assert!(after < exact + 0.03, "{id}: {after:.4}, of the exact classifier {exact:.4}");
    }
}

#[test]
fn the_same_seed_trains_the_same_classifier_in_any_slices() {
    let (distribution, process) = (distribution("moons"), process(Kind::Flow));
    let at = process.level(0.5);
    let x = distribution.draw(20, 3).x;
    let slope = |learner: &ClassifierLearner| learner.learned().towards(1).gradient(&x, at);
    let once = trained(&distribution, &process, 30);
    let mut sliced = trained(&distribution, &process, 7);
    sliced.train(23);
    assert_eq!(slope(&once), slope(&sliced));
    assert_ne!(slope(&once), slope(&trained(&distribution, &process, 29)));
    let mut whole = trained(&distribution, &process, ClassifierLearner::ENOUGH);
    let before = slope(&whole);
    whole.train(5);
    assert_eq!(
        (whole.steps(), slope(&whole)),
        (ClassifierLearner::ENOUGH, before),
        "it is trained further than enough"
    );
}

/// The gradient is near that of the exact classifier, and is the gradient of something.
#[test]
fn its_gradient_is_that_of_its_logarithm() {
    let (distribution, process) = (distribution("four-gaussians"), process(Kind::Linear));
    let net = classifier(&distribution, &process);
    let at = process.level(0.4);
    let exact = Asked::new(&distribution, 2).expect("a class");
    let x = distribution.draw(400, 9).x.scale(at.alpha);
    let (got, wanted) = (net.towards(2).gradient(&x, at), exact.gradient(&x, at));
    let square = |a: &Cloud| a.0.as_flattened().iter().map(|v| v * v).sum::<f64>();
    let missed = square(&got.mix(1.0, &wanted, -1.0)) / square(&wanted);
    // 0.006 as trained; the gradient of another class misses more than all of it.
    assert!(missed < 0.1, "a share {missed:.3} of the squared gradient is missed");
    // A closed path along the gradient of a logarithm comes back to where it began, but for the midpoints' error.
    let corners = [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5]];
    let along = |from: [f64; 2], to: [f64; 2]| {
        let n = 64;
        let path = (0..n).map(|i| from.mix(1.0 - (i as f64 + 0.5) / n as f64, &to, (i as f64 + 0.5) / n as f64));
        let slopes = net.towards(2).gradient(&Cloud(path.collect()), at);
        slopes.0.iter().map(|g| (g[0] * (to[0] - from[0]) + g[1] * (to[1] - from[1])) / n as f64).sum::<f64>()
    };
    let round: f64 = (0..4).map(|i| along(corners[i], corners[(i + 1) % 4])).sum();
    assert!(round.abs() < 1e-4, "round a square the logarithm rises by {round}");
}

/// At scale 1 an exact model led by a good classifier draws the class (Dhariwal & Nichol 2021, section 4.1).
#[test]
fn led_by_it_the_exact_model_draws_the_class() {
    for id in ["four-gaussians", "circles", "pinwheel"] {
        let (distribution, process) = (distribution(id), process(Kind::Linear));
        let net = classifier(&distribution, &process);
        let class = distribution.classes() - 1;
        let model =
            ClassifierGuided { model: distribution.mixture().clone(), classifier: net.towards(class), scale: 1.0 };
        let stage = Stage { narrowest: distribution.narrowest(), process: &process, model: &model, seed: 1, eta: 1.0 };
        let pane = Pane { sampler: "ode".to_owned(), steps: 30 };
        let (x, _) = block_on(stage.end(&pane, &CloudNoise::new(1).draw(500))).expect(id);
        let wanted = distribution.alone(class).expect("a class").draw(500, 5).x;
        let Distances { sliced_wasserstein, .. } = Distances::between(&x, &wanted);
        // Two draws of the data are 0.1 to 0.2 apart.
        assert!(sliced_wasserstein < 0.3, "{id}: {sliced_wasserstein}");
    }
}
