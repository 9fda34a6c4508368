//! Folders of weights against the pictures that their pipelines in diffusers draw.

use crate::oracle::{Oracle, device, golden, shared};
use burn::tensor::Tensor;
use pollster::block_on;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::backend::{ImageNoise, cpu};
use unnoise::denoise::{Denoiser, Guidance, Guided};
use unnoise::interchange::stands;
use unnoise::math::{Grid, Noise};
use unnoise::models::Pretrained;
use unnoise::models::folder::Directory;
use unnoise::pipeline::{Conditioned, Conditioning, Pipeline, Told};
use unnoise::samplers::{Run, method};

fn open(folder: &Path) -> Pipeline {
    let opened = block_on(Pipeline::open(&Directory(folder), &device()));
    opened.unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
}

/// Runs the pipeline's own scheduler for `steps` steps from the noise of `seed`: what was drawn, and its picture.
fn draw(pipeline: &Pipeline, told: [Told; 2], guidance: f64, steps: usize, seed: u32) -> (Tensor<4>, Tensor<4>) {
    let mapped = pipeline.scheduled(steps).expect("a run");
    assert!(mapped.bound.is_none() && mapped.shown.is_none() && mapped.last_noise.is_none());

    let [channels, height, width] = pipeline.network.shape();
    let mut noise = ImageNoise::new(seed, 1);
    let z = noise.normal(&Tensor::zeros([1, channels, height, width], &device()));
    let [conditional, unconditional] = told;
    let model = Conditioned::new(pipeline, conditional, unconditional);
    let model = Guided { model, guidance: Guidance::plain(guidance) };
    // A step without length at the end leaves the point where it is.
    let moves = mapped.steps.len() - mapped.steps.iter().rev().take_while(|step| stands(**step)).count();
    let grid = Grid::of_steps(mapped.steps[..moves].to_vec()).expect("a grid");
    let sampler = method::<Tensor<4>>(mapped.sampler).and_then(|row| row.on_grid()).expect("a sampler");
    let run = Run {
        start: z * mapped.start,
        grid: &grid,
        schedule: &mapped.schedule,
        model: &model as &dyn Denoiser<Tensor<4>>,
        noise: &mut noise,
        tuning: mapped.tuning,
        orders: mapped.listed(),
    };
    let last = sampler(run).last().expect("a step").x;
    (last.clone(), pipeline.latents.decode(last))
}

fn prompts(pipeline: &Pipeline, prompts: [&str; 2]) -> [Told; 2] {
    let Conditioning::Text(encoder) = &pipeline.conditioning else { panic!("it has no text encoder") };
    prompts.map(|prompt| encoder.encode(prompt, 1).expect("tokens").0)
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

#[test]
fn stable_diffusion_draws_the_picture_of_diffusers() {
    let Some(folder) = shared("reference/networks/sd1_public") else { return };
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    assert_eq!(pipeline.picture(), [3, 32, 32]);
    let told = prompts(&pipeline, ["a red heart on white", "blurry"]);
    check(&oracle, "run", draw(&pipeline, told, 7.5, 6, 1200));
}

/// The same of a smaller folder, stored in 16 bits, which is in the project.
#[test]
fn a_small_pipeline_draws_the_picture_of_diffusers() {
    let folder = golden("../pipelines/text");
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    let told = prompts(&pipeline, ["a cat on the moon", "night"]);
    check(&oracle, "run", draw(&pipeline, told.clone(), 3.0, 6, 40));
    let pictures = [3.0, 1.0].map(|guidance| draw(&pipeline, told.clone(), guidance, 6, 40).1);
    let swapped = draw(&pipeline, [told[1].clone(), told[0].clone()], 3.0, 6, 40).1;
    let unlike = |a: &Tensor<4>, b: &Tensor<4>| cpu::read((a.clone() - b.clone()).abs().max_dims(&[0, 1, 2, 3]))[0];
    assert!(unlike(&pictures[0], &pictures[1]) > 1e-2 && unlike(&pictures[0], &swapped) > 1e-2);
}

#[test]
fn latent_diffusion_draws_the_picture_of_diffusers() {
    for name in ["ldm_kl_public", "ldm_vq_public"] {
        let Some(folder) = shared(&format!("reference/networks/{name}")) else { return };
        let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
        check(&oracle, "ddim", draw(&pipeline, [Told::Nothing, Told::Nothing], 1.0, 10, 261));
    }
}

#[test]
fn a_diffusion_transformer_draws_the_picture_of_diffusers() {
    let Some(folder) = shared("reference/networks/dit_public") else { return };
    let (oracle, pipeline) = (Oracle::read(&folder.join("oracle.safetensors")), open(&folder));
    let Conditioning::Classes { null: Some(null), .. } = pipeline.conditioning else { panic!("it has classes") };
    let told = [3, null].map(|class| Told::Classes(vec![class]));
    check(&oracle, "ddim", draw(&pipeline, told, 4.0, 10, 281));
}

/// A trained model, stored in 16 bits. Once the prompts are encoded, the text encoder is not needed.
#[test]
fn prompts_become_the_pictures_of_diffusers() {
    let Some(folder) = shared("trial-text-model") else { return };
    let mut pipeline = open(&folder);
    let all = ["red heart", "猫"].map(|prompt| prompts(&pipeline, [prompt, ""]));
    pipeline.conditioning = Conditioning::None;
    for (i, told) in all.into_iter().enumerate() {
        let (_, picture) = draw(&pipeline, told, 4.0, 20, 3);
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
        (&diffusion(""), "unet/config.json"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = folder(&format!("refused-{i}"), index, &["scheduler/scheduler_config.json"]);
        let refusal = block_on(Pipeline::open(&Directory(&folder), &device())).err();
        let refusal = refusal.unwrap_or_else(|| panic!("accepted: {index}")).to_string();
        assert!(refusal.contains(part) && refusal.ends_with('.'), "{refusal}");
    }
}

/// Its latents are no pictures.
#[test]
fn a_latent_model_is_no_model_of_pictures() {
    let index = r#"{"_class_name": "LDMPipeline"}"#;
    let weights = ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vqvae/config.json"];
    let folder = folder("latent", index, &weights);
    let refusal = Pretrained::from_dir(&folder, &device()).err().expect("it is refused").to_string();
    assert!(refusal.contains("vqvae/") && refusal.contains("latents"), "{refusal}");
}
