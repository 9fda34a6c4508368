//! Folders of weights against the pictures that their pipelines in diffusers draw.

use super::oracle::{Oracle, device, golden, shared};
use burn::tensor::{Tensor, TensorData};
use futures_util::TryStreamExt;
use pollster::block_on;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::cpu;
use unnoise::models::autoencoder_kl::AutoencoderKl;
use unnoise::pipeline::{Latents, Pipeline};
use unnoise::session::{Frame, Given};
use unnoise::settings::{Class, Settings};

fn open(folder: &Path) -> Pipeline {
    Pipeline::from_dir(folder, &device()).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
}

/// What the folder starts with, for one picture.
fn settings(pipeline: &Pipeline, guidance: f64, steps: usize, seed: u32) -> Settings {
    Settings { guidance, steps, seed, images: 1, ..pipeline.preset().expect("it starts with something") }
}

fn frames(pipeline: &Pipeline, settings: &Settings) -> Vec<Frame> {
    block_on(pipeline.frames(settings, Given::default()).try_collect()).unwrap_or_else(|e| panic!("{e}"))
}

/// Where a run ends: what the network draws, and its pictures.
fn draw(pipeline: &Pipeline, settings: &Settings) -> (Tensor<4>, Tensor<4>) {
    let last = frames(pipeline, settings).pop().expect("frames");
    let tensor = |values, [channels, height, width]: [usize; 3]| {
        let shape = [settings.images, channels, height, width];
        Tensor::from_data(TensorData::new(values, shape), &device())
    };
    (tensor(last.x, pipeline.shape()), tensor(last.shown.expect("latents").x, pipeline.picture()))
}

/// How far values of 0..=1 are from `expected`, in steps of a byte.
fn bytes_apart(got: Tensor<4>, expected: &[f64]) -> f64 {
    let got = cpu::read((got / 2.0 + 0.5).clamp(0.0, 1.0));
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(got, expected)| (f64::from(*got) - expected).abs()).fold(0.0, f64::max) * 255.0
}

/// Runs a reference folder and compares with its own record, under the names that begin with `run`.
fn check(oracle: &Oracle, run: &str, (latents, picture): (Tensor<4>, Tensor<4>)) {
    let far = |part: &str, got: Tensor<4>| {
        let (expected, shape) = oracle.numbers(&format!("{run}/{part}"));
        assert_eq!(got.dims().to_vec(), shape, "{part}");
        let most = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let far = cpu::read(got).iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        far / (1.0 + most)
    };
    let apart = bytes_apart(picture.clone(), &oracle.numbers(&format!("{run}/image01")).0);
    let (latents, picture) = (far("x_final", latents), far("decoded", picture));
    println!("latents {latents:.1e} apart, decoded {picture:.1e}, the picture {apart:.3} of 255");
    // A run carries the rounding of its evaluations along, and guidance multiplies it.
    assert!(
        latents.max(picture) <= 1e-4 && apart <= 0.5,
        "latents {latents:e} apart, decoded {picture:e}, {apart} of 255"
    );
}

fn told(settings: Settings, prompt: &str, negative: &str) -> Settings {
    Settings { prompt: prompt.to_owned(), negative: negative.to_owned(), ..settings }
}

#[test]
fn stable_diffusion_draws_the_picture_of_diffusers() {
    let Some(folder) = shared("reference/networks/sd1_public") else { return };
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    assert_eq!(pipeline.picture(), [3, 32, 32]);
    let settings = told(settings(&pipeline, 7.5, 6, 1200), "a red heart on white", "blurry");
    check(&oracle, "run", draw(&pipeline, &settings));
}

/// The same of a smaller folder, stored in 16 bits, which is in the project.
#[test]
fn a_small_pipeline_draws_the_picture_of_diffusers() {
    let folder = golden("../pipelines/text");
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    let cat = told(settings(&pipeline, 3.0, 6, 40), "a cat on the moon", "night");
    check(&oracle, "run", draw(&pipeline, &cat));
    let unlike = |a: &Tensor<4>, b: &Tensor<4>| cpu::read((a.clone() - b.clone()).abs().max_dims(&[0, 1, 2, 3]))[0];
    let others = [Settings { guidance: 1.0, ..cat.clone() }, told(cat.clone(), "night", "a cat on the moon")];
    let [alone, other] = others.map(|settings| draw(&pipeline, &settings).1);
    let guided = draw(&pipeline, &cat).1;
    assert!(unlike(&guided, &alone) > 1e-2 && unlike(&guided, &other) > 1e-2);
    // Of a batch each image is as it is alone.
    let two = draw(&pipeline, &Settings { seed: 39, images: 2, ..cat }).1;
    assert!(unlike(&two.narrow(0, 1, 1), &guided) < 1e-4);
}

/// Its network has learned what guidance does, and takes the scale.
#[test]
fn a_latent_consistency_model_draws_the_picture_of_diffusers() {
    let folder = golden("../pipelines/lcm");
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    let settings = told(settings(&pipeline, 5.0, 3, 40), "a cat on the moon", "");
    check(&oracle, "run", draw(&pipeline, &settings));
    let refusal = block_on(pipeline.sample(&told(settings, "a cat", "night"))).expect_err("it is refused").to_string();
    assert!(refusal.contains("negative prompt"), "{refusal}");
}

/// Two text encoders, the pooled text and the sizes; without a negative prompt its states are zeros.
#[test]
fn stable_diffusion_xl_draws_the_picture_of_diffusers() {
    let folder = golden("../pipelines/xl");
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    let settings = settings(&pipeline, 3.0, 5, 40);
    for (run, negative) in [("run", ""), ("negative", "night")] {
        check(&oracle, run, draw(&pipeline, &told(settings.clone(), "a cat on the moon", negative)));
    }
}

#[test]
fn latent_diffusion_draws_the_picture_of_diffusers() {
    for name in ["ldm_kl_public", "ldm_vq_public"] {
        let Some(folder) = shared(&format!("reference/networks/{name}")) else { return };
        let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
        check(&oracle, "ddim", draw(&pipeline, &settings(&pipeline, 1.0, 10, 261)));
    }
}

#[test]
fn a_diffusion_transformer_draws_the_picture_of_diffusers() {
    let Some(folder) = shared("reference/networks/dit_public") else { return };
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    let settings = settings(&pipeline, 4.0, 10, 281);
    check(&oracle, "ddim", draw(&pipeline, &Settings { class: Class::One(3), ..settings.clone() }));
    let refused = [Settings { class: Class::One(1000), ..settings.clone() }, told(settings, "a cat", "")];
    let refusals = refused.map(|settings| block_on(pipeline.sample(&settings)).expect_err("it is refused").to_string());
    assert!(refusals[0].contains("classes 0 to 999") && refusals[1].contains("reads no texts"), "{refusals:?}");
}

/// A trained model, stored in 16 bits.
#[test]
fn prompts_become_the_pictures_of_diffusers() {
    let Some(folder) = shared("trial-text-model") else { return };
    let pipeline = open(&folder);
    for (i, prompt) in ["red heart", "猫"].into_iter().enumerate() {
        let (_, picture) = draw(&pipeline, &told(settings(&pipeline, 4.0, 20, 3), prompt, ""));
        let file = fs::File::open(folder.join(format!("reference-{i}.png"))).expect("a picture");
        let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
        reader.next_frame(&mut pixels).expect("a picture");
        let expected: Vec<f64> =
            (0..3).flat_map(|c| pixels[c..].iter().step_by(3)).map(|v| f64::from(*v) / 255.0).collect();
        let apart = bytes_apart(picture, &expected);
        println!("reference-{i}.png: {apart:.3} of 255");
        // The reference is rounded to bytes, and this is not.
        assert!(apart <= 1.0, "reference-{i}.png is {apart} of 255 away");
    }
}

/// Latents are scaled between the network and the autoencoder, both ways; its pipelines in diffusers do not shift them.
#[test]
fn latents_are_scaled() {
    let folder = golden("kl-plain");
    let read = |name: &str| fs::read(folder.join(name)).expect("a file");
    let config = String::from_utf8(read("config.json")).expect("text");
    let net = AutoencoderKl::load(&config, &[read("model.safetensors")], &device()).expect("it loads");
    let (oracle, scale) = (Oracle::read(&folder.join("oracle.safetensors")), 0.18215);
    let latents = Latents::Kl(Box::new(net));
    oracle.check("decoded", latents.decode(oracle.tensor::<4>("latents") * scale));
    oracle.check("mean", latents.encode(oracle.tensor("image")) / scale);
    assert_eq!((latents.channels(), latents.factor()), (Some(3), 2));
}

/// A folder of the files `files`, empty but for the index.
fn folder(test: &str, index: &str, files: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "{}").expect("a file");
    }
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("model_index.json"), index).expect("an index");
    folder
}

#[test]
fn folders_that_are_not_drawn_are_refused_in_a_sentence() {
    let diffusion = |extra: &str| {
        format!(
            r#"{{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"] {extra}}}"#
        )
    };
    for (i, (index, part)) in [
        ("[", "JSON"),
        ("{}", "_class_name"),
        (r#"{"_class_name": "FluxPipeline"}"#, "FluxPipeline"),
        (r#"{"_class_name": "DDPMPipeline"}"#, "unet/"),
        (r#"{"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet1DModel"]}"#, "UNet1DModel"),
        (&diffusion(r#", "controlnet": ["diffusers", "ControlNetModel"]"#), "ControlNetModel"),
        (&diffusion(""), "has vae/, but this folder has none"),
        (
            &diffusion(r#", "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"]"#),
            "unet/config.json",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = folder(&format!("refused-{i}"), index, &["scheduler/scheduler_config.json"]);
        let refusal = Pipeline::from_dir(&folder, &device()).err();
        let refusal = refusal.unwrap_or_else(|| panic!("accepted: {index}")).to_string();
        assert!(refusal.contains(part) && refusal.ends_with('.'), "{refusal}");
    }
}
