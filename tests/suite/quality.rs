//! The measures of samples: closed forms, figures of other libraries, and what each must notice.
#![cfg(feature = "cli")]

use burn::tensor::Device;
use pollster::block_on;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::dataset::pictures::{Format, read_one};
use unnoise::eval::quality::{
    Album, FitError, Gaussian, Manifold, Points, Reference, Score, ScoreError, frechet, memory, nearest, samples,
};
use unnoise::math::TorchGenerator;
use unnoise::models::classifier::{ClassifierConfig, NoisyClassifier};
use unnoise::picture;
use unnoise::pipeline::Pipeline;
use unnoise::session::Given;
use unnoise::settings::{Class, Settings};
use unnoise::train::initial;

const SHAPE: [usize; 3] = [1, 8, 8];

fn diagonal(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    (0..n * n).map(|at| if at / n == at % n { values[at / n] } else { 0.0 }).collect()
}

/// Rounding of the products and roots of matrices of this size and of numbers around 1.
const ROUNDING: f64 = 1e-12;

#[test]
fn equal_gaussians_have_no_distance() {
    let one = Gaussian::new(&[1.0, -2.0, 0.5], &[2.0, 0.3, 0.1, 0.3, 1.0, -0.2, 0.1, -0.2, 0.7]);
    assert!(frechet(&one, &one) < ROUNDING);
    // No root of a covariance without full rank is lost.
    let flat = Gaussian::new(&[0.0, 0.0], &[1.0, 1.0, 1.0, 1.0]);
    assert!(frechet(&flat, &flat) < ROUNDING);
}

#[test]
fn a_shifted_mean_is_as_far_as_it_is_shifted() {
    let covariance = [2.0, 0.5, 0.5, 1.0];
    let (a, b) = (Gaussian::new(&[1.0, 2.0], &covariance), Gaussian::new(&[4.0, -2.0], &covariance));
    assert!((frechet(&a, &b) - 25.0).abs() < 25.0 * ROUNDING);
}

/// Of diagonal covariances each dimension adds the square of the difference of its standard deviations.
#[test]
fn diagonal_covariances_differ_by_their_deviations() {
    let (a, b) = ([4.0, 1.0, 0.25], [1.0, 9.0, 0.0]);
    let at = [0.0; 3];
    let distance = frechet(&Gaussian::new(&at, &diagonal(&a)), &Gaussian::new(&at, &diagonal(&b)));
    assert!((distance - (1.0 + 4.0 + 0.25)).abs() < 10.0 * ROUNDING, "{distance}");
}

/// numpy's mean and covariance of these points, and scipy's `sqrtm` of the product of the covariances:
/// `((m1 - m2) ** 2).sum() + np.trace(s1 + s2 - 2 * scipy.linalg.sqrtm(s1 @ s2).real)`.
#[test]
fn the_distance_is_that_of_scipy() {
    let points = |offset: u32| -> Points {
        let value = |i: u32| ((i * i + offset * i) % 17) as f32 / 4.0 + ((i * 7 + offset) % 5) as f32;
        Points::new((0..60).map(value).collect(), 3)
    };
    let (a, b) = (points(3), points(8));
    let distance = frechet(&Gaussian::fit(&a).unwrap(), &Gaussian::fit(&b).unwrap());
    assert!((distance - SCIPY).abs() < 1e-10, "{distance}");
}

const SCIPY: f64 = 1.3500945947830871;

#[test]
fn what_no_gaussian_fits_is_refused() {
    assert_eq!(Gaussian::fit(&Points::new(vec![1.0, 2.0], 2)), Err(FitError::TooFew(1)));
    assert_eq!(Gaussian::fit(&Points::new(vec![1.0, f32::NAN, 2.0], 1)), Err(FitError::NotFinite));
}

/// The nearest points, found by looking at all of them without blocks and lanes.
#[test]
fn neighbours_are_those_of_a_plain_search() {
    for dimensions in [1, 16, 37] {
        let cloud = |seed, n| Points::new(TorchGenerator::new(seed).randn(n * dimensions), dimensions);
        let (queries, among) = (cloud(1, 70), cloud(2, 133));
        for (query, found) in queries.iter().zip(nearest(&queries, &among, 5)) {
            let square = |other: &[f32]| query.iter().zip(other).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            let mut all: Vec<_> = among.iter().map(|other| square(other).sqrt()).enumerate().collect();
            all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
            for (found, (index, distance)) in found.iter().zip(&all[..5]) {
                assert_eq!(found.index, *index);
                assert!((found.distance - distance).abs() < 1e-5 * distance, "{} is not {distance}", found.distance);
            }
        }
    }
    let few = Points::new(vec![1.0, 1.0, 3.0], 1);
    let found: Vec<_> = nearest(&few.first(1), &few, 7)[0].iter().map(|n| (n.index, n.distance)).collect();
    assert_eq!(found, [(0, 0.0), (1, 0.0), (2, 2.0)]);
}

/// Four points of a line and the balls about them, which reach to the second nearest other point.
#[test]
fn the_region_is_the_union_of_the_balls() {
    let points = Points::new(vec![0.0, 1.0, 3.0, 10.0], 1);
    let others = Points::new(vec![-3.0, -3.1, 5.1, 19.0, 1.5, 19.1, -2.9, 0.9], 1);
    // Radii 3, 2, 3 and 9.
    assert_eq!(Manifold::new(&points, 2).share(&others), 6.0 / 8.0);
}

#[test]
fn a_set_covers_itself() {
    let points = Points::new(TorchGenerator::new(4).randn(50 * 20), 20);
    assert_eq!(Manifold::new(&points, 3).share(&points), 1.0);
    let far = Points::new(points.values().iter().map(|v| v + 100.0).collect(), 20);
    assert_eq!(Manifold::new(&points, 3).share(&far), 0.0);
}

/// The first sample is a copy, the second lies at a third of the way, the others between their two neighbours.
#[test]
fn copies_are_noticed() {
    let training = Points::new(vec![0.0, 8.0, 100.0, 100.0], 1);
    let samples = Points::new(vec![8.0, 2.0, 2.5, 54.0, 100.0], 1);
    let near = nearest(&samples, &training, 2);
    assert_eq!(memory::memorised(&near), 3.0 / 5.0);
    assert_eq!(memory::distance(&near), (0.0 + 2.0 + 2.5 + 46.0 + 0.0) / 5.0);
}

fn device() -> Device {
    pollster::block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

/// The same weights in every run: chance makes some networks that take a picture of noise for a slope.
fn classifier(device: &Device) -> NoisyClassifier {
    let config = r#"{"in_channels": 1, "num_classes": 2, "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 2}"#;
    let net = NoisyClassifier::new(&ClassifierConfig::from_json(config).expect("a configuration"), device);
    initial::weights(net, TorchGenerator::new(0))
}

/// Slopes of grey: their steepness and direction are random.
fn slopes(seed: u64, n: usize) -> Album {
    let numbers = TorchGenerator::new(seed).rand_f64(2 * n);
    let picture = |n: &[f64]| -> Vec<u8> {
        let value = |p: usize| (p / 8) as f64 * n[0] * 30.0 + (p % 8) as f64 * n[1] * 5.0;
        (0..64).map(|p| value(p) as u8).collect()
    };
    Album { bytes: numbers.chunks_exact(2).flat_map(picture).collect(), labels: vec![0; n], shape: SHAPE }
}

fn noise(seed: u64, n: usize) -> Album {
    let bytes = TorchGenerator::new(seed).rand_f64(64 * n).into_iter().map(|v| (255.0 * v) as u8).collect();
    Album { bytes, ..slopes(seed, n) }
}

fn scored(album: &Album) -> Score {
    let device = device();
    let net = classifier(&device);
    let reference = Reference::new(&net, &device, &slopes(1, 100), 100, &mut |_| ()).expect("a reference");
    reference.score(album, &mut |_| ()).expect("a score")
}

#[test]
fn the_training_pictures_themselves_are_perfect_and_memorised() {
    let score = scored(&slopes(1, 100));
    // The root of the rounding of a covariance that may lack full rank.
    assert!(score.frechet < 1e-7, "{}", score.frechet);
    assert_eq!((score.precision, score.recall), (1.0, 1.0));
    assert_eq!((score.distance, score.memorised), (0.0, 1.0));
}

#[test]
fn noise_is_told_from_new_pictures_of_the_kind() {
    let (new, noise) = (scored(&slopes(2, 100)), scored(&noise(3, 100)));
    assert!(noise.frechet > 20.0 * new.frechet, "{} and {}", noise.frechet, new.frechet);
    assert!(new.precision > 0.8 && new.recall > 0.8, "{new:?}");
    assert_eq!((noise.precision, noise.memorised), (0.0, 0.0));
    assert!(noise.distance > 5.0 * new.distance, "{} and {}", noise.distance, new.distance);
}

/// What is left over at the end is no set.
#[test]
fn the_floor_is_the_mean_of_all_sets_of_the_test_pictures() {
    let device = device();
    let net = classifier(&device);
    let reference = Reference::new(&net, &device, &slopes(1, 100), 100, &mut |_| ()).expect("a reference");
    let test = slopes(2, 100);
    let mut seen = Vec::new();
    let floor = reference.floor(&test, 30, &mut |done| seen.push(done)).expect("a floor");
    assert_eq!(seen, [30, 60, 90]);
    let part = |set: usize| Album {
        bytes: test.bytes[set * 30 * 64..][..30 * 64].to_vec(),
        labels: test.labels[..30].to_vec(),
        shape: SHAPE,
    };
    let alone = [0, 1, 2].map(|set| reference.score(&part(set), &mut |_| ()).expect("a score"));
    let mean = |of: fn(&Score) -> f64| alone.iter().map(of).sum::<f64>() / 3.0;
    let frechet = mean(|s| s.frechet);
    let spread = (alone.iter().map(|s| (s.frechet - frechet).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert_eq!((floor.mean.pictures, floor.mean.frechet, floor.mean.recall), (30, frechet, mean(|s| s.recall)));
    assert_eq!(floor.mean.accuracy, Some(mean(|s| s.accuracy.expect("labels"))));
    assert!(spread > 0.0 && floor.deviation == Some(spread), "{floor:?}, not {spread}");
    let all = reference.floor(&test, 1000, &mut |_| ()).expect("a floor");
    assert_eq!((all.mean, all.deviation), (reference.score(&test, &mut |_| ()).expect("a score"), None));
    assert!(matches!(reference.floor(&slopes(2, 3), 30, &mut |_| ()), Err(ScoreError::TooFew { got: 3 })));
}

/// A classifier of two classes is right about one of the two labels of every picture.
#[test]
fn accuracy_is_the_share_of_labels_that_are_seen_again() {
    let device = device();
    let net = classifier(&device);
    let reference = Reference::new(&net, &device, &slopes(1, 100), 100, &mut |_| ()).expect("a reference");
    let accuracy = |labels| reference.score(&Album { labels, ..noise(3, 100) }, &mut |_| ()).expect("a score").accuracy;
    let right = |label| accuracy(vec![label; 100]).expect("labels");
    assert!((right(0) + right(1) - 1.0).abs() < 1e-12);
    assert_eq!(accuracy(Vec::new()), None);
}

#[test]
fn what_cannot_be_scored_is_refused_in_a_sentence() {
    let device = device();
    let net = classifier(&device);
    let refusal = |album: &Album| match Reference::new(&net, &device, album, 100, &mut |_| ()) {
        Ok(_) => panic!("scored"),
        Err(e) => e,
    };
    let colour = Album { shape: [3, 8, 8], bytes: vec![0; 192 * 5], labels: vec![0; 5] };
    assert!(matches!(refusal(&colour), ScoreError::Channels { expected: 1, got: 3 }));
    let unknown = Album { labels: vec![2; 5], ..slopes(1, 5) };
    assert!(matches!(refusal(&unknown), ScoreError::Class { known: 2, got: 2 }));
    assert!(matches!(refusal(&slopes(1, 3)), ScoreError::TooFew { got: 3 }));
    assert!(refusal(&unknown).to_string().contains("choose the one of their data"));
}

/// What is drawn of latents is pictures, each of the class of the training picture in its place and of its own seed, and they
/// are scored like others.
#[test]
fn samples_of_a_model_of_latents_are_its_decoded_pictures() {
    let (device, folder) = (device(), Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/folders/dit"));
    let model = Pipeline::from_dir(&folder, &device).expect("it loads");
    assert!(model.is_latent());
    let shape = model.picture();
    let preset = model.preset().expect("settings");
    let settings = Settings { seed: 16, steps: 4, guidance: 4.0, ..preset };
    let bytes = TorchGenerator::new(5).rand_f64(8 * 3 * 256).into_iter().map(|v| (255.0 * v) as u8).collect();
    let training = Album { bytes, labels: vec![3, 0, 7, 5, 1, 2, 4, 6], shape };
    assert_eq!(shape, [3, 16, 16]);
    let drawn = block_on(samples::draw(&model, &settings, (6, &training), &mut |_| ())).expect("it draws");
    assert_eq!((drawn.shape, drawn.len(), &drawn.labels[..]), (shape, 6, &training.labels[..6]));
    let format = Format { shape, range: [-1.0, 1.0], background: [0; 3], placing: unnoise::picture::Placing::MIDDLE };
    let golden = read_one(&folder.join("0.png"), &format).expect("what diffusers drew of seed 16 and class 3");
    let golden: Vec<f32> = golden.into_iter().map(|v| v as f32).collect();
    let golden = picture::to_bytes(&golden, shape, format.range);
    let apart = drawn.picture(0).iter().zip(&golden).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(apart <= Some(2), "{apart:?} of 255 from the picture of diffusers");
    let alone = Settings { seed: 20, images: 1, class: Class::One(1), ..settings };
    let alone = block_on(samples::last(&model, &alone, Given::default(), &mut |_| ())).expect("it draws");
    assert_eq!(drawn.picture(4), alone);

    let config = r#"{"in_channels": 3, "num_classes": 8, "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 2}"#;
    let net = NoisyClassifier::new(&ClassifierConfig::from_json(config).expect("a configuration"), &device);
    let net = initial::weights(net, TorchGenerator::new(0));
    let reference = Reference::new(&net, &device, &training, 8, &mut |_| ()).expect("a reference");
    let score = reference.score(&drawn, &mut |_| ()).expect("a score");
    assert!(score.frechet.is_finite() && score.accuracy.is_some() && score.memorised == 0.0, "{score:?}");
}
