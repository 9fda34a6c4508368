//! Networks of the laboratory: that they learn what the distribution knows, the same way each time.
#![cfg(all(feature = "cpu", feature = "autodiff", feature = "train"))]

use pollster::block_on;
use unnoise::denoise::Prediction;
use unnoise::lab::data::sets;
use unnoise::lab::learn::{LearnError, Learner, Recipe};
use unnoise::lab::learned::Learned;
use unnoise::lab::numbers::{Accuracy, likelihood};
use unnoise::lab::process::Kind;
use unnoise::lab::run::{Stage, scores};
use unnoise::lab::settings::{OBJECTIVES, Pane};
use unnoise::lab::{Cloud, CloudNoise, Curve, Distances, Distribution, Process, Settings, closed_form};
use unnoise::math::Latent;

/// Small enough to be trained in seconds.
fn recipe() -> Recipe {
    Recipe { depth: 3, width: 64, batch: 128, ema: 0.98, lr: 2e-3, ..Recipe::from(&Settings::default()) }
}

fn process(kind: Kind) -> Process {
    Process::new(kind, &Curve::default()).expect("a process")
}

fn distribution(id: &str) -> Distribution {
    unnoise::lab::data::set(id).expect("a row").distribution()
}

fn learner(recipe: Recipe, distribution: Distribution, kind: Kind) -> Learner {
    Learner::new(recipe, distribution, process(kind)).expect("the recipe can be followed")
}

/// How far training of so many steps brings the held-out loss from that of the untrained network (0) to that of the exact model (1).
fn learned_share(learner: &mut Learner, steps: usize) -> f64 {
    let (before, floor) = (learner.held_out(), learner.floor());
    learner.train(steps).expect("finite losses");
    let after = learner.held_out();
    // An exact model is the best there is, but on a few hundred points chance can be better.
    assert!(after > 0.95 * floor, "{after} is below what is possible, {floor}");
    (before - after) / (before - floor)
}

#[test]
fn every_data_set_is_learned() {
    for set in sets() {
        let share = learned_share(&mut learner(recipe(), set.distribution(), Kind::Linear), 1500);
        assert!(share > 0.9, "{}: {share:.3} of the way to the exact model", set.id);
    }
}

#[test]
fn every_objective_is_learned_on_every_process() {
    for (id, kind) in Kind::ALL {
        for (name, objective) in OBJECTIVES {
            let recipe = Recipe { objective, width: 32, ..recipe() };
            let share = learned_share(&mut learner(recipe, distribution("four-gaussians"), kind), 400);
            assert!(share > 0.6, "{name} on {id}: {share:.3} of the way to the exact model");
        }
    }
}

#[test]
fn the_same_recipe_trains_to_the_same_weights_bit_for_bit() {
    let recipe = Recipe { width: 16, ..recipe() };
    let weights = |recipe, slices: &[usize]| {
        let mut learner = learner(recipe, distribution("moons"), Kind::Flow);
        let all: Vec<_> = slices.iter().map(|steps| learner.train(*steps).expect("finite losses")).collect();
        let shown = all.last().map(|last| (last.step, last.train));
        (learner.learned().weights().expect("they can be written"), shown, learner.held_out())
    };
    let once = weights(recipe, &[60]);
    assert!(once == weights(recipe, &[7, 1, 52]), "the slices that a page trains in change the weights or the losses");
    assert!(once != weights(Recipe { seed: 1, ..recipe }, &[60]), "the seed changes nothing");
    assert!(once != weights(recipe, &[59]), "a step changes nothing");
}

#[test]
fn weights_are_read_back() {
    let (distribution, process) = (distribution("moons"), process(Kind::Linear));
    let mut learner = learner(Recipe { width: 16, ..recipe() }, distribution.clone(), Kind::Linear);
    learner.train(5).expect("finite losses");
    let learned = learner.learned();
    let weights = learned.weights().expect("they can be written");
    let config = r#"{"depth": 3, "width": 16}"#;
    let read = Learned::load(config, &weights, Prediction::Epsilon, &distribution).expect("the same network");
    let x = distribution.draw(50, 3).x;
    for class in [None, Some(1)] {
        let at = process.level(0.4);
        assert_eq!(scores(&read.conditioned(class), &x, at), scores(&learned.conditioned(class), &x, at));
    }
    for (config, word) in [
        (r#"{"depth": 3, "width": 17}"#, "shape"),
        (r#"{"depth": 2, "width": 16}"#, "no place"),
        (r#"{"depth": 9, "width": 16}"#, "depth"),
        ("", "not one"),
    ] {
        let message =
            Learned::load(config, &weights, Prediction::Epsilon, &distribution).expect_err(config).to_string();
        assert!(message.contains(word), "{message}");
    }
    let other = set_of_one_class();
    assert!(Learned::load(config, &weights, Prediction::Epsilon, &other).is_err(), "weights of other data were taken");
}

fn set_of_one_class() -> Distribution {
    let found = sets().iter().map(|set| set.distribution()).find(|distribution| distribution.classes() == 1);
    found.expect("one data set has a single class")
}

/// The score of a trained network, with and without a class, where the data is; and its likelihood.
#[test]
fn the_learned_field_is_near_the_exact_one() {
    let distribution = distribution("four-gaussians");
    let mut learner = learner(recipe(), distribution.clone(), Kind::Linear);
    learner.train(4000).expect("finite losses");
    let learned = learner.learned();
    let process = process(Kind::Linear);
    for clock in [0.2, 0.5, 0.8] {
        let at = process.level(clock);
        for class in [None, Some(2)] {
            let exact = class.and_then(|class| distribution.only(class)).unwrap_or(distribution.mixture());
            let x = closed_form(&draw(&distribution, class, 800), at, 11);
            let (wanted, got) = (scores(exact, &x, at), scores(&learned.conditioned(class), &x, at));
            let square = |a: &Cloud| a.0.as_flattened().iter().map(|v| v * v).sum::<f64>();
            let error = square(&got.mix(1.0, &wanted, -1.0)) / square(&wanted);
            assert!(error < 0.1, "class {class:?} at {clock}: a share {error:.3} of the squared score is missed");
        }
    }
    for point in [[2.0, 2.0], [-1.5, 2.5], [2.2, -1.8]] {
        let world = (&distribution, &process);
        let exact = likelihood(world, distribution.mixture(), point, Accuracy::EXACT).expect("an end");
        assert!((exact.ode - exact.analytic).abs() < 1e-3, "{point:?}: {} is not {}", exact.ode, exact.analytic);
        let net = likelihood(world, &learned.conditioned(None), point, Accuracy::learned(&process)).expect("an end");
        assert!((net.ode - net.analytic).abs() < 0.7, "{point:?}: {} is far from {}", net.ode, net.analytic);
    }
}

/// Points of a class, or of all.
fn draw(distribution: &Distribution, class: Option<usize>, n: usize) -> Cloud {
    class.and_then(|class| distribution.alone(class)).as_ref().unwrap_or(distribution).draw(n, 5).x
}

/// What a first visit shows: 500 points in 30 steps. Two draws of the data are 0.1 to 0.2 apart.
#[test]
fn the_shipped_networks_draw_their_data() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/lab");
    let config = std::fs::read_to_string(folder.join("config.json")).expect("models/lab/config.json");
    let process = process(Kind::Linear);
    for set in sets() {
        let weights = std::fs::read(folder.join(format!("{}.safetensors", set.id))).expect(set.id);
        let distribution = set.distribution();
        let learned = Learned::load(&config, &weights, Prediction::Epsilon, &distribution).expect(set.id);
        for class in [None, Some(distribution.classes() - 1)] {
            let model = learned.conditioned(class);
            let stage =
                Stage { narrowest: distribution.narrowest(), process: &process, model: &model, seed: 1, eta: 1.0 };
            let pane = Pane { sampler: "ode".to_owned(), steps: 30 };
            let (x, _) = block_on(stage.end(&pane, &CloudNoise::new(1).draw(500))).expect(set.id);
            let Distances { sliced_wasserstein, .. } = Distances::between(&x, &draw(&distribution, class, 500));
            assert!(sliced_wasserstein < 0.3, "{} of class {class:?}: {sliced_wasserstein}", set.id);
        }
    }
}

/// The derivatives that the likelihood integrates, against differences.
#[test]
fn the_network_is_differentiated_right() {
    use unnoise::eval::{Differentiable, Readable};
    let mut learner = learner(Recipe { width: 32, ..recipe() }, distribution("four-gaussians"), Kind::Linear);
    learner.train(100).expect("finite losses");
    let (learned, at) = (learner.learned(), process(Kind::Linear).level(0.4));
    let model = learned.conditioned(Some(1));
    let (x, h) = ([0.7, -1.1], 1e-2);
    let units = [vec![1.0, 0.0], vec![0.0, 1.0]];
    let Ok(got) = model.pull_back(&x, at, &units);
    let Ok(x0) = Readable::denoise(&model, &x, at);
    assert!(x0.iter().zip(&got.x0).all(|(a, b)| (a - b).abs() < 1e-5), "{x0:?} is not {:?}", got.x0);
    for j in 0..2 {
        let moved = |h: f64| {
            let mut x = x;
            x[j] += h;
            let Ok(x0) = Readable::denoise(&model, &x, at);
            x0
        };
        let (ahead, behind) = (moved(h), moved(-h));
        for i in 0..2 {
            let slope = (ahead[i] - behind[i]) / (2.0 * h);
            // Single precision over the width of the difference, and the third derivative.
            assert!((got.products[i][j] - slope).abs() < 2e-3, "{i}, {j}: {} is not {slope}", got.products[i][j]);
        }
    }
}

#[test]
fn what_cannot_be_trained_is_said_in_a_sentence() {
    let refused = |recipe: Recipe, words: &str| {
        let Err(e) = Learner::new(recipe, distribution("moons"), process(Kind::Linear)) else {
            panic!("{recipe:?} was taken")
        };
        assert!(e.to_string().contains(words), "{e}");
    };
    for lr in [f64::NAN, 0.0, -1.0, 1e30, f64::INFINITY] {
        refused(Recipe { lr, ..recipe() }, "learning rate");
    }
    refused(Recipe { depth: 0, ..recipe() }, "depth");
    refused(Recipe { width: 1 << 40, ..recipe() }, "width");
    refused(Recipe { batch: 0, ..recipe() }, "points");
    refused(Recipe { ema: 1.0, ..recipe() }, "averaged");

    // The largest rate that is allowed makes a useless network, or a loss that is no number: a sentence, and the same again.
    let mut learner = learner(
        Recipe { lr: 1.0, objective: Prediction::Velocity, ..recipe() },
        distribution("moons"),
        Kind::VarianceExploding,
    );
    for _ in 0..2 {
        match learner.train(30) {
            Ok(row) => assert!(row.train.is_finite()),
            Err(e @ LearnError::NotFinite { .. }) => assert!(e.to_string().contains("lower the learning rate")),
            Err(e) => panic!("{e}"),
        }
    }
}
