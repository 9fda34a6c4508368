//! A trained model as the samplers see it: labels, guidance, clipping, noise.
#![cfg(feature = "cpu")]

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend, ImageNoise};
use unnoise::denoise::Denoiser;
use unnoise::math::{Latent, Level, Noise, TorchGenerator};
use unnoise::models::{ModelFiles, NetworkDenoiser, Pretrained};

/// Half signal, half noise.
const AT: Level = Level { t: 300.0, alpha: 0.8, sigma: 0.6 };

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of the self-test network: one channel, 12 x 12, three rows of class embedding.
fn files() -> ModelFiles {
    let folder = project("models/selftest");
    let text = |name: &str| fs::read_to_string(folder.join(name)).expect("readable");
    ModelFiles {
        unet_config: text("unet/config.json"),
        weights: fs::read(folder.join("unet/diffusion_pytorch_model.safetensors")).expect("weights"),
        scheduler_config: text("scheduler/scheduler_config.json"),
        card: None,
    }
}

fn card(extra: serde_json::Value) -> Option<String> {
    let text = |en: &str| json!({"en": en, "zh": en});
    let mut card = json!({"name": text("small"), "classes": [text("a"), text("b")], "null_class": 2});
    card.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    Some(card.to_string())
}

fn model(extra: serde_json::Value) -> Pretrained {
    Pretrained::load(ModelFiles { card: card(extra), ..files() }, &device()).expect("it loads")
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    block_on(backend::read(tensor)).expect("the CPU does not fail")
}

fn apart(a: &Tensor<4>, b: &Tensor<4>) -> f32 {
    let (a, b) = (values(a.clone()), values(b.clone()));
    assert_eq!(a.len(), b.len());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn noise(images: usize) -> Tensor<4> {
    ImageNoise::new(7, images).normal(&Tensor::zeros([images, 1, 12, 12], &device()))
}

/// The same sums in another order.
const ROUNDING: f32 = 1e-5;

#[test]
fn an_estimate_is_the_predicted_noise_taken_off() {
    let model = model(json!({}));
    let x = noise(2);
    let eps = model.net.forward(x.clone(), &[AT.t; 2], Some(&[1, 0]));
    let expected = (x.clone() - eps * AT.sigma) / AT.alpha;
    let got = NetworkDenoiser::new(&model, &[Some(1), Some(0)], 1.0).denoise(&x, AT);
    assert!(apart(&got, &expected) < ROUNDING);
}

#[test]
fn guidance_goes_from_the_unlabelled_estimate_through_the_labelled_one() {
    let model = model(json!({}));
    let x = noise(3);
    let denoise = |labels: [Option<usize>; 3], scale| NetworkDenoiser::new(&model, &labels, scale).denoise(&x, AT);
    let labels = [Some(0), Some(1), None];
    let (labelled, unlabelled) = (denoise(labels, 1.0), denoise([None; 3], 1.0));
    assert!(apart(&labelled, &unlabelled) > 100.0 * ROUNDING, "labels change nothing");
    assert!(apart(&denoise(labels, 0.0), &unlabelled) < ROUNDING);
    for scale in [0.5, 2.0, 3.0] {
        let expected = unlabelled.mix(1.0 - scale, &labelled, scale);
        assert!(apart(&denoise(labels, scale), &expected) < ROUNDING, "scale {scale}");
        assert!(apart(&denoise([None; 3], scale), &unlabelled) < ROUNDING, "scale {scale} without labels");
    }
}

#[test]
fn an_image_is_the_same_alone_and_in_a_batch() {
    let model = model(json!({}));
    let x = noise(3);
    let labels = [Some(0), Some(1), None];
    let together = NetworkDenoiser::new(&model, &labels, 2.0).denoise(&x, AT);
    for (i, label) in labels.into_iter().enumerate() {
        let alone = NetworkDenoiser::new(&model, &[label], 2.0).denoise(&x.clone().narrow(0, i, 1), AT);
        assert!(apart(&alone, &together.clone().narrow(0, i, 1)) < ROUNDING, "image {i}");
    }
}

#[test]
fn estimates_are_clipped_after_guidance_where_the_card_says_so() {
    let free = model(json!({}));
    let clipped = model(json!({"range": [-0.1, 0.2], "clip_denoised": true}));
    let x = noise(2);
    let estimate = |model| NetworkDenoiser::new(model, &[Some(0), Some(1)], 3.0).denoise(&x, AT);
    let free = estimate(&free);
    assert!(values(free.clone()).iter().any(|v| *v > 0.2) && values(free.clone()).iter().any(|v| *v < -0.1));
    assert_eq!(values(estimate(&clipped)), values(free.clamp(-0.1, 0.2)));
}

#[test]
fn a_model_without_classes_has_no_labels_and_no_guidance() {
    let folder = project("tests/golden/unet_variants/heads-of-8");
    let model = Pretrained::from_dir(&folder, &device()).expect("it loads");
    assert_eq!((model.classes(), model.shape()), (0, [3, 8, 8]));
    let x = ImageNoise::new(1, 2).normal(&Tensor::zeros([2, 3, 8, 8], &device()));
    let estimate = |scale| NetworkDenoiser::new(&model, &[None, None], scale).denoise(&x, AT);
    assert_eq!(values(estimate(1.0)), values(estimate(4.0)));
}

#[test]
fn a_folder_without_a_card_is_described_by_its_other_files() {
    let clipping = r#"{"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear", "num_train_timesteps": 1000,
        "prediction_type": "epsilon", "clip_sample": true, "clip_sample_range": 2.0}"#;
    let files = ModelFiles { scheduler_config: clipping.to_owned(), ..files() };
    let model = Pretrained::load(files, &device()).expect("it loads");
    assert_eq!((model.classes(), model.card.null_class), (3, None));
    assert_eq!((model.card.range, model.card.clip_denoised), ([-2.0, 2.0], true));
}

#[test]
fn a_card_that_does_not_fit_its_network_is_refused() {
    for (extra, part) in [
        (json!({"null_class": 3}), "4 labels"),
        (json!({"classes": vec![json!({"en": "", "zh": ""}); 4], "null_class": null}), "4 labels"),
        (json!({"range": [1, -1]}), "range"),
        (json!({"range": [0]}), "unnoise.json"),
        (json!({"clas": []}), "clas"),
    ] {
        let files = ModelFiles { card: card(extra.clone()), ..files() };
        let refusal = Pretrained::load(files, &device()).err().unwrap_or_else(|| panic!("{extra} is accepted"));
        assert!(refusal.to_string().contains(part), "{refusal}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let Err(refusal) = Pretrained::from_dir(&project("tests"), &device()) else { panic!("tests/ is a model") };
    assert!(refusal.to_string().contains("tests/unet/config.json"), "{refusal}");
}

/// Every folder of `models/` loads, has as many parameters as its file has numbers, and answers with numbers.
#[test]
fn the_models_of_the_project_fit() {
    let folders = fs::read_dir(project("models")).expect("models/").map(|e| e.expect("readable").path());
    let folders: Vec<_> = folders.filter(|p| p.is_dir()).collect();
    assert!(folders.len() > 1, "only {folders:?}");
    for folder in folders {
        let model = Pretrained::from_dir(&folder, &device()).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let weights = fs::read(folder.join("unet/diffusion_pytorch_model.safetensors")).expect("weights");
        let file = safetensors::SafeTensors::deserialize(&weights).expect("weights");
        let numbers: usize = file.tensors().iter().map(|(_, view)| view.shape().iter().product::<usize>()).sum();
        assert_eq!(model.parameters(), numbers, "{}", folder.display());

        let [channels, height, width] = model.shape();
        let x = ImageNoise::new(0, 2).normal(&Tensor::zeros([2, channels, height, width], &device()));
        let label = (model.classes() > 0).then_some(0);
        let x0 = NetworkDenoiser::new(&model, &[label; 2], 1.0).denoise(&x, AT);
        assert!(values(x0).iter().all(|v| v.is_finite()), "{}", folder.display());
    }
}

#[test]
fn every_image_has_torchs_noise_of_its_own_seed() {
    let like = Tensor::<4>::zeros([3, 1, 5, 7], &device());
    let mut noise = ImageNoise::new(u32::MAX - 1, 3);
    let draws = [noise.normal(&like), noise.normal(&like)].map(values);
    for (i, seed) in [u32::MAX - 1, u32::MAX, 0].into_iter().enumerate() {
        let mut torch = TorchGenerator::new(seed.into());
        for draw in &draws {
            assert_eq!(draw[35 * i..35 * (i + 1)], torch.randn(35), "image {i}");
        }
    }
}

#[test]
fn tensors_mix_like_numbers() {
    let tensor = |v: [f32; 3]| Tensor::<4>::from_data(TensorData::new(v.to_vec(), [1, 1, 1, 3]), &device());
    let (a, b) = (tensor([1.0, -2.0, 0.5]), tensor([4.0, 0.25, 8.0]));
    assert_eq!(values(a.mix(2.0, &b, -0.5)), [0.0, -4.125, -3.0]);
    assert_eq!(values(a.scale(-4.0)), [-4.0, 8.0, -2.0]);
}
