//! A classifier of noisy pictures, and its gradient on the device.
#![cfg(all(feature = "cpu", feature = "autodiff"))]

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use safetensors::SafeTensors;
use std::path::Path;
use unnoise::backend::{self, Backend, ImageNoise};
use unnoise::denoise::{Classifier, ClassifierGuided, Denoiser};
use unnoise::math::{Latent, Level, Noise};
use unnoise::models::classifier::{ClassifierConfig, NoisyClassifier, Wanted};

const CONFIG: &str = r#"{"_class_name": "NoisyClassifier", "in_channels": 1, "num_classes": 3,
    "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4}"#;
const AT: Level = Level { t: 300.0, alpha: 0.8, sigma: 0.6 };
const CLASSES: [usize; 2] = [2, 0];

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    block_on(backend::read(tensor)).expect("the CPU does not fail").into_iter().map(f64::from).collect()
}

fn network() -> NoisyClassifier {
    NoisyClassifier::new(&ClassifierConfig::from_json(CONFIG).expect("a configuration"), &device())
}

fn noise(seed: u32) -> Tensor<4> {
    ImageNoise::new(seed, 2).normal(&Tensor::zeros([2, 1, 12, 12], &device()))
}

/// `log p(y | x)` of each picture.
fn log_p(net: &NoisyClassifier, x: Tensor<4>) -> [f64; 2] {
    let all = values(log_softmax(net.forward(x, &[AT.t; 2]), 1));
    [all[CLASSES[0]], all[3 + CLASSES[1]]]
}

/// Along the gradient itself, where the slope is its length, and along any other direction. In single precision a
/// difference of `log p`, of the size of 1, over a path of 0.1 has an error of about 1e-6 / 0.1; the curvature adds as
/// much as the slope varies on the path, which the two halves of a central difference cancel to second order.
#[test]
fn the_gradient_is_the_slope_of_the_log_probability() {
    let (net, x) = (network(), noise(7));
    let gradient = Wanted { net: &net, classes: CLASSES.to_vec() }.gradient(&x, AT);
    let uphill = values(gradient.clone());
    let picture = |v: &[f64], i: usize| v[144 * i..144 * (i + 1)].to_vec();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for direction in [gradient.over(&gradient.rms()), noise(20)] {
        // Steps of length 0.05 for each picture.
        let step = direction.over(&direction.rms()).scale(0.05 / 12.0);
        let (up, down) = (log_p(&net, x.mix(1.0, &step, 1.0)), log_p(&net, x.mix(1.0, &step, -1.0)));
        for i in [0, 1] {
            let (own, step) = (picture(&uphill, i), picture(&values(step.clone()), i));
            let (measured, expected) = ((up[i] - down[i]) / 2.0, dot(&own, &step));
            let length = dot(&own, &own).sqrt() * dot(&step, &step).sqrt();
            assert!((measured - expected).abs() < 0.01 * length + 1e-6, "picture {i}: {measured} is not {expected}");
            assert!(length > 1e-5, "the classifier is flat");
        }
    }
}

#[test]
fn a_picture_is_led_to_its_own_class_alone_and_in_a_batch() {
    let (net, x) = (network(), noise(7));
    let together = values(Wanted { net: &net, classes: CLASSES.to_vec() }.gradient(&x, AT));
    for (i, class) in CLASSES.into_iter().enumerate() {
        let alone = Wanted { net: &net, classes: vec![class] }.gradient(&x.clone().narrow(0, i, 1), AT);
        let largest = together.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
        for (a, b) in values(alone).iter().zip(&together[144 * i..]) {
            assert!((a - b).abs() < 1e-4 * largest, "picture {i}: {a} is not {b}");
        }
    }
}

#[test]
fn a_guided_picture_is_told_apart_better() {
    let (net, x) = (network(), noise(7));
    let model = |x: &Tensor<4>, _: Level| x.clone();
    let classifier = Wanted { net: &net, classes: CLASSES.to_vec() };
    let guided = ClassifierGuided { model, classifier, scale: 0.5 }.denoise(&x, AT);
    let (before, after) = (log_p(&net, x), log_p(&net, guided));
    assert!(after[0] > before[0] && after[1] > before[1], "{before:?}, then {after:?}");
}

/// The network of `training/classifier.py`, in single precision on both sides: logits of the size of 1 differ by some
/// rounding errors of 1e-7 that grow through the layers.
#[test]
fn torch_answers_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classifier");
    let net = NoisyClassifier::from_dir(&folder, &device()).expect("a classifier");
    let oracle = std::fs::read(folder.join("oracle.safetensors")).expect("an oracle");
    let oracle = SafeTensors::deserialize(&oracle).expect("an oracle");
    let numbers = |name: &str| -> Vec<f32> {
        let bytes = oracle.tensor(name).expect("it is stored").data();
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    let t: Vec<_> = numbers("t").into_iter().map(f64::from).collect();
    let x = Tensor::<4>::from_data(TensorData::new(numbers("x"), [3, 3, 10, 10]), &device());
    let got = values(net.forward(x, &t));
    for (got, expected) in got.iter().zip(numbers("logits")) {
        assert!((got - f64::from(expected)).abs() < 1e-5, "{got} is not {expected}");
    }
    assert_eq!(got.len(), 15);
}

#[test]
fn what_is_no_configuration_is_refused_by_its_key() {
    for (from, to, part) in [
        ("\"in_channels\": 1", "\"in_channels\": 0", "in_channels"),
        ("\"num_classes\": 3", "\"num_classes\": 0", "num_classes"),
        ("[8, 16]", "[]", "block_out_channels"),
        ("[8, 16]", "[8, 18]", "norm_num_groups"),
        ("\"layers_per_block\": 1", "\"layers_per_block\": 0", "layers_per_block"),
        ("\"num_classes\": 3", "\"classes\": 3", "classes"),
        ("_class_name", "class_name", "class_name"),
        ("{", "[", "config.json"),
    ] {
        let refusal = ClassifierConfig::from_json(&CONFIG.replace(from, to)).expect_err(to);
        assert!(refusal.to_string().contains(part), "{refusal}");
    }
    let refusal = NoisyClassifier::load(CONFIG, &[0; 16], &device()).expect_err("no weights");
    assert!(refusal.to_string().contains("safetensors"), "{refusal}");
}
