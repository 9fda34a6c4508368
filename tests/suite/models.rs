//! Networks against torch's answers, and against files that are not what they should be.
#![cfg(feature = "cpu")]

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{self, Backend};
use unnoise::models::self_test;
use unnoise::models::unet2d::{Unet2d, Unet2dConfig};
use unnoise::pipeline::Pipeline;

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
        Dtype::I64 => view.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f32).collect(),
        Dtype::F32 => view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
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
    let condition = numbers(oracle, &format!("{prefix}condition"));
    let condition = condition.map(|(values, shape)| Tensor::<2>::from_data(TensorData::new(values, shape), &device()));
    let expected = named("out").expect("out");
    let x = tensor(oracle, &format!("{prefix}x"));
    let got = values(net.forward_conditioned(x, &t, class.as_deref(), condition));
    let image = expected.len() / t.len();
    for ((got, expected), t) in got.chunks(image).zip(expected.chunks(image)).zip(t) {
        let largest = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
        let (worst, tolerance) = (apart(got, expected), 1e-5 * largest);
        println!("{what} at {t}: off by {worst:.1e}, tolerance {tolerance:.1e}");
        assert!(worst <= tolerance, "{what} at {t} is off by {worst}, more than rounding's {tolerance}");
    }
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
    let model = Pipeline::from_dir(&folder, &device()).expect("it loads");
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
        let eps = model.network.unet2d().expect("a network of pictures").forward(x.clone(), &[t as f64], None);
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

/// The configuration of the self-test network with `key` set to `value`.
fn config_with(key: &str, value: Value) -> String {
    let (config, _) = unet(&project("models/selftest"));
    let mut config: Value = serde_json::from_str(&config).expect("JSON");
    config[key] = value;
    config.to_string()
}

#[test]
fn a_configuration_that_cannot_be_built_is_refused_by_key() {
    let huge = 1_000_000_000;
    for (key, value) in [
        ("act_fn", json!("quick_gelu")),
        ("add_attention", json!(null)),
        ("attention_head_dim", json!(13)),
        ("attention_head_dim", json!(0)),
        ("attn_norm_num_groups", json!(5)),
        ("block_out_channels", json!([])),
        ("block_out_channels", json!("8, 12")),
        ("block_out_channels", json!([8, huge])),
        ("center_input_sample", json!("no")),
        ("class_embed_type", json!("projection")),
        ("class_embed_type", json!("rows")),
        ("down_block_types", json!(["DownBlock2D"])),
        ("down_block_types", json!(["DownBlock2D", "CrossAttnDownBlock2D"])),
        ("downsample_padding", json!(2)),
        ("downsample_type", json!("fir")),
        ("dropout", json!("much")),
        ("flip_sin_to_cos", json!(1)),
        ("freq_shift", json!(4)),
        ("freq_shift", json!(-1)),
        ("in_channels", json!(0)),
        ("in_channels", json!(huge)),
        ("layers_per_block", json!(0)),
        ("layers_per_block", json!(1.5)),
        ("layers_per_block", json!(huge)),
        ("mid_block_scale_factor", json!(0)),
        ("mid_block_type", json!("UNetMidBlock2DCrossAttn")),
        ("norm_eps", json!(0)),
        ("norm_num_groups", json!(5)),
        ("norm_num_groups", json!(0)),
        ("norm_num_groups", json!(null)),
        ("num_class_embeds", json!(0)),
        ("num_class_embeds", json!(huge)),
        ("num_train_timesteps", json!("many")),
        ("out_channels", json!(-1)),
        ("resnet_time_scale_shift", json!("spatial")),
        ("sample_size", json!(null)),
        ("sample_size", json!(1)),
        ("sample_size", json!([12])),
        ("sample_size", json!(2048)),
        ("sample_size", json!(huge)),
        ("sample_size", json!(u64::MAX)),
        ("time_embedding_dim", json!(0)),
        ("time_embedding_dim", json!(huge)),
        ("num_train_timesteps", json!(0)),
        ("time_embedding_type", json!("sinusoidal")),
        ("up_block_types", json!(["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"])),
        ("up_block_types", json!(["UpBlock2D", "CrossAttnUpBlock2D"])),
        ("upsample_type", json!("fir")),
        ("wings", json!(2)),
    ] {
        let refusal = Unet2dConfig::from_json(&config_with(key, value.clone())).err();
        let refusal = refusal.unwrap_or_else(|| panic!("{key}: {value} is accepted")).to_string();
        assert!(refusal.contains(&format!("sets {key}")), "{refusal}");
        assert!(refusal.ends_with('.') && !refusal.contains(". "), "not one sentence: {refusal}");
    }
    assert!(Unet2dConfig::from_json("[1]").is_err());
    assert!(Unet2dConfig::from_json("{").is_err());
}

#[test]
fn a_configuration_may_carry_notes_and_lack_what_has_a_default() {
    assert!(Unet2dConfig::from_json(&config_with("_name_or_path", json!("somewhere"))).is_ok());
    // What google/ddpm-celebahq-256 and its kind leave out.
    let bare = Unet2dConfig::from_json(r#"{"sample_size": [64, 32]}"#).expect("diffusers' defaults");
    assert_eq!((bare.sample_size, bare.block_out_channels.len()), ([64, 32], 4));
    assert_eq!((bare.time_embedding_dim, bare.attention_head_dim), (4 * 224, Some(8)));
}

#[test]
fn a_configuration_says_what_it_builds() {
    let said = |folder: &str| Unet2dConfig::from_json(&unet(&project(folder)).0).expect("a configuration").to_string();
    let heads =
        "UNet2DModel, 8-16 channels, 2 layers a level, attention at 4 x 4, the middle, positional time embedding";
    assert_eq!(said("tests/golden/unet_variants/heads-of-8"), heads);
    assert!(said("tests/golden/unet_variants/fourier").ends_with("Fourier time embedding"));
    let bare = said("tests/golden/unet_variants/float16-no-mid-attention");
    assert!(bare.contains("attention at 4 x 4, positional"), "{bare}");
}

/// Whether the self-test network takes these weights, and what it says if not.
fn load(weights: &[u8]) -> Result<Unet2d, String> {
    let (config, _) = unet(&project("models/selftest"));
    Unet2d::load(&config, weights, &device()).map_err(|e| e.to_string())
}

#[test]
fn damaged_weights_are_refused_without_a_panic() {
    let (_, weights) = unet(&project("models/selftest"));
    assert!(load(&weights).is_ok());
    let header = 8 + u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let ends = (0..header).step_by(7).chain((header..weights.len()).step_by(997)).chain([weights.len() - 1]);
    for end in ends {
        let refusal = load(&weights[..end]).err().unwrap_or_else(|| panic!("the first {end} bytes are accepted"));
        assert!(refusal.contains("download"), "{refusal}");
    }
    assert!(load(&[weights.clone(), vec![0]].concat()).is_err(), "a byte too many is accepted");
    assert!(load(&vec![0xff; 4096]).is_err());

    // A changed header may still say the same (a space for a space), but it must never panic.
    let mut refused = 0;
    for at in (0..8).chain((8..header).step_by(5)) {
        for flip in [0x01, 0x10, 0x80] {
            let mut changed = weights.clone();
            changed[at] ^= flip;
            refused += usize::from(load(&changed).is_err());
        }
    }
    assert!(refused > 3 * (header / 5) * 9 / 10, "only {refused} changes were noticed");
}

/// The self-test weights as (name, type, shape, bytes), to be changed and written again.
type Entry = (String, Dtype, Vec<usize>, Vec<u8>);

fn entries() -> Vec<Entry> {
    let (_, weights) = unet(&project("models/selftest"));
    let file = SafeTensors::deserialize(&weights).expect("weights");
    file.tensors().into_iter().map(|(n, v)| (n, v.dtype(), v.shape().to_vec(), v.data().to_vec())).collect()
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let views = entries.iter().map(|(n, t, s, b)| (n, TensorView::new(*t, s.clone(), b).expect("a consistent tensor")));
    safetensors::serialize(views, None).expect("a file")
}

#[test]
fn weights_of_another_network_are_refused_by_name_and_shape() {
    let at = |entries: &[Entry], name: &str| entries.iter().position(|e| e.0 == name).expect("a known tensor");
    let name = "down_blocks.0.resnets.0.conv1.weight";

    let mut missing = entries();
    missing.remove(at(&missing, name));
    let refusal = load(&written(&missing)).unwrap_err();
    assert!(refusal.contains(name) && refusal.contains("[8, 8, 3, 3]"), "{refusal}");

    let mut unexpected = entries();
    unexpected.push(("down_blocks.7.conv.bias".to_owned(), Dtype::F32, vec![1], vec![0; 4]));
    let refusal = load(&written(&unexpected)).unwrap_err();
    assert!(refusal.contains("down_blocks.7.conv.bias"), "{refusal}");

    let mut reshaped = entries();
    let i = at(&reshaped, name);
    reshaped[i].2 = vec![8, 24, 3];
    let refusal = load(&written(&reshaped)).unwrap_err();
    assert!([name, "[8, 24, 3]", "[8, 8, 3, 3]"].iter().all(|part| refusal.contains(part)), "{refusal}");

    let mut retyped = entries();
    let (i, size) = (at(&retyped, name), 8 * 8 * 9 * 8);
    (retyped[i].1, retyped[i].3) = (Dtype::I64, vec![0; size]);
    let refusal = load(&written(&retyped)).unwrap_err();
    assert!(refusal.contains(name) && refusal.contains("I64"), "{refusal}");

    let mut infinite = entries();
    let i = at(&infinite, name);
    let width = infinite[i].1.bitsize() / 8;
    infinite[i].3[..width].fill(0xff);
    let refusal = load(&written(&infinite)).unwrap_err();
    assert!(refusal.contains(name) && refusal.contains("finite"), "{refusal}");
}

#[test]
fn weights_may_have_older_names_and_be_stored_in_half_precision() {
    let x = || Tensor::<4>::ones([1, 1, 12, 12], &device());
    let answer =
        |entries: &[Entry]| values(load(&written(entries)).expect("it loads").forward(x(), &[9.0], Some(&[1])));
    let now = entries();
    let expected = answer(&now);

    let mut older = now.clone();
    for (name, ..) in &mut older {
        for (now, then) in [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")] {
            *name = name.replace(now, then);
        }
    }
    assert!(older.iter().any(|(name, ..)| name.ends_with("attentions.0.proj_attn.bias")));
    assert_eq!(answer(&older), expected);

    // The upper half of a single is a bfloat16, good to 2^-8.
    let mut half = now;
    for (_, dtype, _, bytes) in &mut half {
        assert_eq!(*dtype, Dtype::F32);
        *dtype = Dtype::BF16;
        *bytes = bytes.chunks_exact(4).flat_map(|b| [b[2], b[3]]).collect();
    }
    let off = apart(&answer(&half), &expected);
    assert!(off > 0.0 && off < 0.1, "bfloat16 weights change the output by {off}");
}

/// Diffusers' network fails on such sizes. Going up must arrive at the sizes that were left going down.
#[test]
fn odd_sizes_are_halved_and_doubled_back() {
    for folder in ["heads-of-8", "asymmetric-padding", "classes-first-level-attention"] {
        let (config, weights) = unet(&project("tests/golden/unet_variants").join(folder));
        let net = Unet2d::load(&config, &weights, &device()).expect("it loads");
        let (channels, classes) = (net.config().in_channels, net.config().num_class_embeds);
        for [height, width] in [[7, 5], [9, 6], [5, 11]] {
            let x = Tensor::ones([1, channels, height, width], &device());
            let out = net.forward(x, &[1.0], classes.map(|_| &[0][..]));
            assert_eq!(out.dims(), [1, channels, height, width]);
            assert!(values(out).iter().all(|v| v.is_finite()));
        }
    }
}
