//! Networks against torch's answers, and against files that are not what they should be.
#![cfg(feature = "cpu")]

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use safetensors::SafeTensors;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend};
use unnoise::models::unet2d::Unet2d;
use unnoise::models::{Pretrained, self_test};

fn device() -> Device {
    block_on(backend::open(Backend::Cpu)).expect("the CPU backend is compiled in").device
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The folders in `dir`, by name.
fn folders(dir: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project(dir)).unwrap_or_else(|e| panic!("{dir}: {e}"));
    let mut found: Vec<_> = entries.map(|e| e.expect("readable").path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

fn unet(folder: &Path) -> (String, Vec<u8>) {
    let unet = folder.join("unet");
    let config = fs::read_to_string(unet.join("config.json")).expect("a configuration");
    (config, fs::read(unet.join("diffusion_pytorch_model.safetensors")).expect("weights"))
}

/// The tensor `name` as numbers, whatever it is stored as, and its shape.
fn numbers(file: &SafeTensors, name: &str) -> Option<(Vec<f32>, Vec<usize>)> {
    let view = file.tensor(name).ok()?;
    let values = match view.dtype() {
        safetensors::Dtype::I64 => {
            view.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f32).collect()
        }
        safetensors::Dtype::F32 => {
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
        }
        other => panic!("{name} is stored as {other:?}"),
    };
    Some((values, view.shape().to_vec()))
}

fn tensor(file: &SafeTensors, name: &str) -> Tensor<4> {
    let (values, shape) = numbers(file, name).unwrap_or_else(|| panic!("no {name}"));
    Tensor::from_data(TensorData::new(values, shape), &device())
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    block_on(backend::read(tensor)).expect("the CPU does not fail")
}

/// Largest difference, infinite where a value is not a number.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| if a.is_nan() { f32::INFINITY } else { (a - b).abs() }).fold(0.0, f32::max)
}

/// Runs the recorded call whose tensors are named `prefix` and asserts that it agrees with torch.
fn assert_call(net: &Unet2d, oracle: &SafeTensors, prefix: &str, what: &str) {
    let named = |name: &str| numbers(oracle, &format!("{prefix}{name}")).map(|(values, _)| values);
    let t: Vec<_> = named("t").expect("t").into_iter().map(f64::from).collect();
    let class: Option<Vec<_>> = named("class").map(|class| class.into_iter().map(|c| c as usize).collect());
    let expected = named("out").expect("out");
    let got = values(net.forward(tensor(oracle, &format!("{prefix}x")), &t, class.as_deref()));
    let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    let (worst, tolerance) = (apart(&got, &expected), 2e-5 * (1.0 + largest));
    println!("{what}: off by {worst:.1e}, tolerance {tolerance:.1e}");
    assert!(worst <= tolerance, "{what} is off by {worst}, more than rounding's {tolerance}");
}

/// The reference vectors that lie beside the project where it is developed.
fn reference() -> Option<PathBuf> {
    let folder = project("../shared/reference/networks/cifar_like");
    let found = folder.exists();
    if !found {
        println!("../shared is absent: cifar_like is not compared");
    }
    found.then_some(folder)
}

#[test]
fn a_network_laid_out_like_ddpm_cifar10_agrees_with_diffusers() {
    let Some(folder) = reference() else { return };
    let (config, weights) = unet(&folder);
    let net = Unet2d::load(&config, &weights, &device()).expect("it loads");
    let oracle = fs::read(folder.join("oracle.safetensors")).expect("an oracle");
    let oracle = SafeTensors::deserialize(&oracle).expect("an oracle");
    for call in 0..3 {
        assert_call(&net, &oracle, &format!("call{call}/"), &format!("call {call}"));
    }
}

/// Ten steps of diffusers' DDIM with its own convention, the clipped picture with the unclipped noise: rounding errors
/// of ten calls together.
#[test]
fn ten_steps_of_diffusers_ddim_give_its_picture() {
    let Some(folder) = reference() else { return };
    let model = Pretrained::from_dir(&folder, &device()).expect("it loads");
    let oracle = fs::read(folder.join("oracle.safetensors")).expect("an oracle");
    let oracle = SafeTensors::deserialize(&oracle).expect("an oracle");
    let betas = (0..1000).map(|i| 1e-4 + (0.02 - 1e-4) * f64::from(i) / 999.0);
    let mut signal = betas.scan(1.0, |product, beta| {
        *product *= 1.0 - beta;
        Some(*product)
    });
    let signal: Vec<f64> = signal.by_ref().collect();

    let mut x = tensor(&oracle, "ddim/z");
    for t in (0..10).rev().map(|i| i * 100) {
        let now = signal[t];
        let next = if t == 0 { 1.0 } else { signal[t - 100] };
        let eps = model.net.forward(x.clone(), &[t as f64], None);
        let x0 = ((x - eps.clone() * (1.0 - now).sqrt()) / now.sqrt()).clamp(-1.0, 1.0);
        x = x0 * next.sqrt() + eps * (1.0 - next).sqrt();
        if t == 500 {
            assert!(apart(&values(x.clone()), &numbers(&oracle, "ddim/x_mid").unwrap().0) <= 1e-3);
        }
    }
    let worst = apart(&values(x), &numbers(&oracle, "ddim/x_final").unwrap().0);
    println!("after ten steps: off by {worst:.1e}");
    assert!(worst <= 1e-3);
}

#[test]
fn every_variant_of_a_configuration_agrees_with_diffusers() {
    let found = folders("tests/golden/unet_variants");
    assert!(!found.is_empty(), "tests/golden/unet_variants holds no network");
    for folder in found {
        let (config, weights) = unet(&folder);
        let net = Unet2d::load(&config, &weights, &device()).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let oracle = fs::read(folder.join("oracle.safetensors")).expect("an oracle");
        let oracle = SafeTensors::deserialize(&oracle).expect("an oracle");
        assert_call(&net, &oracle, "", &folder.file_name().unwrap().to_string_lossy());
    }
}

#[test]
fn the_self_test_passes_and_finds_a_wrong_device() {
    let folder = project("models/selftest");
    let (config, weights) = unet(&folder);
    let oracle = fs::read(folder.join("oracle.safetensors")).expect("an oracle");
    let report = block_on(self_test(&config, &weights, &oracle, &device())).expect("it runs");
    assert!(report.passed() && report.worst < 0.1 * report.tolerance, "{report:?}");

    // A kernel that is dropped is like a weight that is not what it was.
    let end = weights.len();
    let mut broken = weights.clone();
    broken[end - 2000..].fill(0);
    let report = block_on(self_test(&config, &broken, &oracle, &device())).expect("it runs");
    assert!(!report.passed(), "{report:?}");
}
