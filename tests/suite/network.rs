//! A trained model as the samplers see it: labels, guidance, clipping, noise.
#![cfg(feature = "cpu")]

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend, ImageNoise};
use unnoise::denoise::guidance::Models;
use unnoise::denoise::{Branch, Branches, Clip, Denoiser, Guidance, GuidanceKind, Guided};
use unnoise::math::{Latent, Level, Noise, TorchGenerator};
use unnoise::models::unet2d::{Unet2d, Unet2dConfig};
use unnoise::pipeline::{Conditions, Memory, Network, NetworkBranches, NetworkDenoiser, Pipeline, PipelineError};

/// Half signal, half noise.
const AT: Level = Level { t: 300.0, alpha: 0.8, sigma: 0.6 };

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of the self-test network: one channel, 12 x 12, three rows of class embedding.
fn files() -> Memory {
    let paths = ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"];
    let read = |path: &str| fs::read(project("models/selftest").join(path)).expect("readable");
    Memory(paths.into_iter().map(|path| (path.to_owned(), read(path))).collect())
}

fn config() -> Unet2dConfig {
    let text = String::from_utf8(files().0.remove("unet/config.json").expect("a file")).expect("text");
    Unet2dConfig::from_json(&text).expect("a configuration")
}

fn open(files: &Memory) -> Result<Pipeline, PipelineError> {
    block_on(Pipeline::open(files, &device()))
}

/// The same files with a card.
fn with_card(extra: serde_json::Value) -> Memory {
    let text = |en: &str| json!({"en": en, "zh": en});
    let mut card = json!({"name": text("small"), "classes": [text("a"), text("b")], "null_class": 2});
    card.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let mut files = files();
    files.0.insert("unnoise.json".to_owned(), card.to_string().into_bytes());
    files
}

fn model(extra: serde_json::Value) -> Pipeline {
    open(&with_card(extra)).expect("it loads")
}

/// A network with random weights.
fn fresh(config: &Unet2dConfig) -> Network {
    Network::Unet2d(Box::new(Unet2d::new(config, &device())))
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
    let eps = model.network.unet2d().expect("a network of pictures").forward(x.clone(), &[AT.t; 2], Some(&[1, 0]));
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

/// Every kind of guidance through one batch, against the same kind on three denoisers that share nothing.
#[test]
fn branches_of_one_batch_are_branches_asked_alone() {
    let model = model(json!({}));
    let x = noise(2);
    let alone = |labels: [Option<usize>; 2]| NetworkDenoiser::new(&model, &labels, 1.0);
    let (yes, no, negative) = (alone([Some(0), Some(1)]), alone([None; 2]), alone([Some(1); 2]));
    let models = Models { conditional: &yes, unconditional: &no, negative: &negative as &dyn Denoiser<Tensor<4>> };
    let conditions: Conditions = model.conditions_of_labels(&[Some(0), Some(1)], Some(1));
    let branches = NetworkBranches::new(&model, conditions);
    for kind in [
        GuidanceKind::Plain,
        GuidanceKind::CfgPlusPlus,
        GuidanceKind::Negative,
        GuidanceKind::Perpendicular { weight: 0.7 },
    ] {
        let guidance = Guidance { kind, ..Guidance::plain(3.0) };
        let expected = Guided { model: models.clone(), guidance }.estimate(&x, AT);
        let got = branches.clone().guided(guidance).estimate(&x, AT);
        assert!(apart(&got.x0, &expected.x0) < ROUNDING, "{kind:?}");
        assert!(apart(&got.eps, &expected.eps) < 2.0 * ROUNDING, "{kind:?}");
    }
    // Rescaling measures the network's own output, here the noise, picture by picture.
    let guidance = Guidance { rescale: 1.0, ..Guidance::plain(3.0) };
    let eps = branches.guided(guidance).estimate(&x, AT).eps;
    let std = |t: &Tensor<4>| t.mix(1.0, &Latent::mean(t), -1.0).rms();
    assert!(apart(&std(&eps), &std(&yes.estimate(&x, AT).eps)) < 2.0 * ROUNDING);
}

#[test]
fn a_worse_model_answers_for_the_negative_branch() {
    let model = model(json!({}));
    let mut worse = self::model(json!({}));
    worse.network = fresh(&config());
    let (labels, x) = ([Some(0), Some(1)], noise(2));
    let guidance = Guidance { kind: GuidanceKind::Negative, ..Guidance::plain(2.0) };
    let guided = NetworkBranches::of_labels(&model, &labels).with_worse(&worse).guided(guidance).denoise(&x, AT);
    let [good, bad] = [&model, &worse].map(|model| NetworkDenoiser::new(model, &labels, 1.0).denoise(&x, AT));
    assert!(apart(&good, &bad) > 100.0 * ROUNDING);
    assert!(apart(&guided, &good.mix(2.0, &bad, -1.0)) < 2.0 * ROUNDING);
}

/// Of a network with twice the channels the second half is the variance, of the guided branch and unguided.
#[test]
fn a_learned_variance_stands_beside_the_estimate() {
    let mut config = config();
    config.out_channels = 2;
    let mut model = model(json!({}));
    model.network = fresh(&config);
    let x = noise(2);
    let output = model.network.unet2d().expect("a network of pictures").forward(x.clone(), &[AT.t; 2], Some(&[0, 1]));
    let said = NetworkDenoiser::new(&model, &[Some(0), Some(1)], 3.0).estimate(&x, AT);
    let variance = said.variance.expect("it was learned");
    assert!(apart(&variance, &output.clone().narrow(1, 1, 1)) < ROUNDING);
    let alone = NetworkDenoiser::new(&model, &[Some(0), Some(1)], 1.0).estimate(&x, AT);
    assert!(apart(&alone.eps, &output.narrow(1, 0, 1)) < ROUNDING);
    let fixed = self::model(json!({}));
    assert!(NetworkDenoiser::new(&fixed, &[Some(0); 2], 1.0).estimate(&x, AT).variance.is_none());
}

#[test]
fn clipping_makes_the_noise_agree_but_leaves_cfg_plus_plus_its_own() {
    let (model, x) = (model(json!({})), noise(2));
    let clip = Some(Clip::Range { low: -0.1, high: 0.2 });
    let branches = NetworkBranches::of_labels(&model, &[Some(0), Some(1)]).with_clip(clip);
    let said = branches.clone().guided(3.0).estimate(&x, AT);
    assert!(apart(&said.x0.mix(AT.alpha, &said.eps, AT.sigma), &x) < ROUNDING);
    let unguided = branches.branches(&x, AT, &[Branch::Unconditional]).remove(0);
    let kept = branches.guided(Guidance { kind: GuidanceKind::CfgPlusPlus, ..Guidance::plain(0.6) }).estimate(&x, AT);
    assert!(apart(&kept.eps, &unguided.eps) < ROUNDING);
    assert_eq!(values(kept.x0.clone()), values(kept.x0.clamp(-0.1, 0.2)));
}

#[test]
fn a_model_without_classes_has_no_labels_and_no_guidance() {
    let folder = project("tests/golden/unet_variants/heads-of-8");
    let model = Pipeline::from_dir(&folder, &device()).expect("it loads");
    assert_eq!((model.classes(), model.shape()), (0, [3, 8, 8]));
    let x = ImageNoise::new(1, 2).normal(&Tensor::zeros([2, 3, 8, 8], &device()));
    let estimate = |scale| NetworkDenoiser::new(&model, &[None, None], scale).denoise(&x, AT);
    assert_eq!(values(estimate(1.0)), values(estimate(4.0)));
}

#[test]
fn a_folder_without_a_card_is_described_by_its_other_files() {
    let clipping = r#"{"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear", "num_train_timesteps": 1000,
        "prediction_type": "epsilon", "clip_sample": true, "clip_sample_range": 2.0}"#;
    let mut files = files();
    files.0.insert("scheduler/scheduler_config.json".to_owned(), clipping.to_owned().into_bytes());
    let model = open(&files).expect("it loads");
    assert_eq!((model.classes(), model.card.null_class), (3, None));
    // What the scheduler clips to is not what is shown: diffusers' pipelines show -1 to 1.
    assert_eq!(model.clip, Some(Clip::Range { low: -2.0, high: 2.0 }));
    assert_eq!(model.card.range, [-1.0, 1.0]);
}

#[test]
fn a_card_that_does_not_fit_its_network_is_refused() {
    for (extra, part) in [
        (json!({"null_class": 3}), "4 labels"),
        (json!({"classes": vec![json!({"en": "", "zh": ""}); 4], "null_class": null}), "4 labels"),
        (json!({"range": [1, -1]}), "range"),
        (json!({"range": [0]}), "unnoise.json"),
        (json!({"clas": []}), "clas"),
        (json!({"parts": {"vae": "../other"}}), "is not the name of a folder beside this one"),
        (json!({"parts": {"vae": "other"}}), "vae/ in the folder other beside it"),
    ] {
        let refusal = open(&with_card(extra.clone())).err().unwrap_or_else(|| panic!("{extra} is accepted"));
        assert!(refusal.to_string().contains(part), "{refusal}");
    }
}

#[test]
fn a_model_starts_with_what_its_card_says() {
    let preset = |defaults| model(json!({"defaults": defaults})).preset();
    let settings = preset(json!({"sampler": "euler", "steps": "4"})).expect("settings");
    assert_eq!((settings.sampler.as_str(), settings.steps, settings.images), ("euler", 4, 16));
    let refusal = preset(json!({"steps": 0})).expect_err("no link could say that");
    assert!(refusal.to_string().contains("in defaults, steps must be a whole number from 1 to 1000"), "{refusal}");
}

#[test]
fn a_missing_file_is_named() {
    let Err(refusal) = Pipeline::from_dir(&project("tests"), &device()) else { panic!("tests/ is a model") };
    assert!(
        refusal.to_string().contains("tests: The folder has neither unet/config.json nor config.json; it holds"),
        "{refusal}"
    );
}

/// Every denoiser of `models/` loads, can be run as it starts, has as many parameters as its file has numbers, and answers
/// with numbers.
#[test]
fn the_models_of_the_project_fit() {
    let folders = fs::read_dir(project("models")).expect("models/").map(|e| e.expect("readable").path());
    let folders: Vec<_> = folders.filter(|p| p.join("unnoise.json").is_file() && p.join("unet").is_dir()).collect();
    assert!(folders.len() > 1, "only {folders:?}");
    for folder in folders {
        let model = Pipeline::from_dir(&folder, &device()).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        model.preset().unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let weights = fs::read(folder.join("unet/diffusion_pytorch_model.safetensors")).expect("weights");
        let file = safetensors::SafeTensors::deserialize(&weights).expect("weights");
        let numbers: usize = file.tensors().iter().map(|(_, view)| view.shape().iter().product::<usize>()).sum();
        assert_eq!(model.parts[0].parameters, numbers, "{}", folder.display());

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

/// The device's quantile is that of a sorted list, for each picture on its own: of one value that lies far out, of many
/// that are equal, between two values and on one.
#[test]
fn quantiles_of_tensors_are_those_of_sorted_lists() {
    const N: usize = 201;
    let mut torch = TorchGenerator::new(4);
    let normal: Vec<f32> = torch.randn(N);
    let mut wild = normal.clone();
    wild[7] = -3e6;
    let rounded: Vec<f32> = normal.iter().map(|v| v.round()).collect();
    let pictures = [normal, wild, rounded, vec![0.0; N], vec![0.25; N]];
    let batch = TensorData::new(pictures.concat(), [pictures.len(), 1, 3, N / 3]);
    let batch = Tensor::<4>::from_data(batch, &device());
    let means = values(Latent::mean(&batch));
    for p in [0.0, 0.3, 0.5, 0.995, 1.0] {
        let got = values(batch.quantile_of_magnitudes(p));
        for (i, picture) in pictures.iter().enumerate() {
            let picture: [f64; N] = std::array::from_fn(|k| picture[k].into());
            let [expected, ..] = picture.quantile_of_magnitudes(p);
            for (k, q) in got[N * i..N * (i + 1)].iter().enumerate() {
                let off = (f64::from(*q) - expected).abs();
                assert!(off <= 1e-6 * expected.abs(), "picture {i}, place {k}: {q} is not {expected}, p {p}");
            }
            let [mean, ..] = picture.mean();
            assert!((f64::from(means[N * i]) - mean).abs() <= 1e-6 * (1.0 + mean.abs()), "picture {i}");
        }
    }
}
