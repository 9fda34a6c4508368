//! Small folders of every kind of pipeline, each against the pictures that diffusers draws with it.

use super::oracle::{bytes, device, text};
use futures_util::TryStreamExt;
use pollster::block_on;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use unnoise::math::Spacing;
use unnoise::pipeline::{Memory, Pipeline};
use unnoise::session::{self, Files, Given};
use unnoise::settings::{Class, Levels, Settings};

/// What rounding may explain: the pictures of both are rounded to whole numbers.
const MOST: i32 = 2;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The files of a folder by their paths, each of its tokenizers with the project's vocabulary.
fn files(folder: &Path) -> Memory {
    fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
            match path.is_dir() {
                true => read(&path, &format!("{name}/"), files),
                false => drop(files.insert(name, bytes(&path))),
            }
        }
    }
    let mut all = BTreeMap::new();
    read(folder, "", &mut all);
    for part in ["tokenizer", "tokenizer_2"] {
        if all.contains_key(&format!("{part}/tokenizer_config.json")) {
            for file in ["vocab.json", "merges.txt"] {
                all.insert(format!("{part}/{file}"), bytes(&golden("tokenizer").join(file)));
            }
        }
    }
    Memory(all)
}

/// The pixels of a PNG, and how many values each has.
fn pixels(path: &Path) -> (Vec<u8>, usize) {
    let file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    let info = reader.next_frame(&mut pixels).expect("a picture");
    (pixels, info.color_type.samples())
}

/// What a run starts from: a picture of -1 to 1, channels first, and what of it stays.
fn given(folder: &Path, run: &Map<String, Value>) -> Given<'static> {
    let read = |key: &str| Some(pixels(&folder.join(run.get(key)?.as_str()?)));
    let picture = read("image").map(|(pixels, channels)| {
        let of =
            |c: usize| pixels[c..].iter().step_by(channels).map(|v| f32::from(*v) / 127.5 - 1.0).collect::<Vec<_>>();
        (0..channels).flat_map(of).collect()
    });
    let kept = read("mask").map(|(pixels, _)| pixels.into_iter().map(|v| f32::from(v) / 255.0).collect());
    Given { picture, kept, ..Given::default() }
}

fn settings(pipeline: &Pipeline, run: &Map<String, Value>) -> Settings {
    let number = |key: &str| run.get(key).and_then(Value::as_f64);
    let words = |key: &str| run.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let preset = pipeline.preset().expect("it starts with something");
    Settings {
        seed: number("seed").expect("a seed") as u32,
        steps: number("steps").expect("steps") as usize,
        // diffusers guides by scales above 1 only; 1 is its name here.
        guidance: number("guidance").map_or(preset.guidance, |scale| scale.max(1.0)),
        class: number("class").map_or(preset.class, |class| Class::One(class as usize)),
        strength: number("strength").unwrap_or(preset.strength),
        images: 1,
        prompt: words("prompt"),
        negative: words("negative"),
        ..preset
    }
}

#[test]
fn every_folder_draws_the_pictures_of_diffusers() {
    let folders = fs::read_dir(golden("folders")).expect("tests/golden/folders").map(|e| e.expect("an entry").path());
    let folders: Vec<PathBuf> = folders.filter(|folder| folder.join("runs.json").is_file()).collect();
    assert!(folders.len() > 10, "only {folders:?}");
    let mut apart = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let pipeline = block_on(Pipeline::open(&files(&folder), &device())).unwrap_or_else(|e| panic!("{name}: {e}"));
        let runs: Vec<Map<String, Value>> = serde_json::from_str(&text(&folder.join("runs.json"))).expect("runs");
        for (i, run) in runs.iter().enumerate() {
            let settings = settings(&pipeline, run);
            let frames: Vec<_> = block_on(pipeline.frames(&settings, given(&folder, run)).try_collect())
                .unwrap_or_else(|e| panic!("{name} {i}: {e}"));
            let drawn = frames.last().expect("frames").pixels(pipeline.picture(), pipeline.card.range).0;
            let (expected, _) = pixels(&folder.join(format!("{i}.png")));
            assert_eq!(drawn.len(), expected.len(), "{name} {i}");
            let far =
                drawn.iter().zip(&expected).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs()).max().unwrap_or(0);
            println!("{name} {i}: {far} of 255");
            apart.extend((far > MOST).then(|| format!("{name} {i}: {far}")));
        }
    }
    assert!(apart.is_empty(), "more than {MOST} of 255 apart: {apart:?}");
}

/// Pipelines that are more than a loop over a network and a scheduler are called as a whole.
#[test]
fn whole_pipelines_become_scripts() {
    for (name, image, lines) in [
        (
            "karras-ve",
            false,
            &[
                "from diffusers import KarrasVePipeline, KarrasVeScheduler",
                "pipe = KarrasVePipeline.from_pretrained(\"there\", torch_dtype=torch.float32, scheduler=KarrasVeScheduler.from_pretrained(\"there\", subfolder=\"scheduler\"))",
                "    generator = torch.Generator().manual_seed((13 + i) % 2**32)",
                "    pictures += pipe(num_inference_steps=4, generator=generator).images",
            ][..],
        ),
        (
            "consistency",
            false,
            &[
                "labels = torch.tensor([1])",
                "    pictures += pipe(num_inference_steps=1, class_labels=labels[i : i + 1], generator=generator).images",
            ],
        ),
        (
            "inpaint",
            true,
            &[
                "pipe = StableDiffusionInpaintPipeline.from_pretrained(\"there\", torch_dtype=torch.float32, safety_checker=None)",
                "image = ImageOps.fit(Image.open(\"a.png\").convert(\"RGB\"), (16, 16))",
                "mask = ImageOps.invert(ImageOps.fit(Image.open(\"kept.png\").convert(\"L\"), (16, 16)))",
                "    pictures += pipe(num_inference_steps=4, prompt=\"a cat\", guidance_scale=7.5, height=16, width=16, image=image, mask_image=mask, strength=1.0, generator=generator).images",
            ],
        ),
        (
            "xl",
            false,
            &[
                "pipe = StableDiffusionXLPipeline.from_pretrained(\"there\", torch_dtype=torch.float32, add_watermarker=False)",
                "    pictures += pipe(num_inference_steps=4, prompt=\"a red heart on white\", negative_prompt=\"night\", guidance_scale=7.5, height=16, width=24, generator=generator).images",
            ],
        ),
    ] {
        let folder = golden("folders").join(name);
        let pipeline = block_on(Pipeline::open(&files(&folder), &device())).unwrap_or_else(|e| panic!("{name}: {e}"));
        let runs: Vec<Map<String, Value>> = serde_json::from_str(&text(&folder.join("runs.json"))).expect("runs");
        let settings = settings(&pipeline, &runs[0]);
        let places = match image {
            true => Files { folder: "there", image: Some("a.png"), mask: Some("kept.png") },
            false => "there".into(),
        };
        let script = session::script(&pipeline, &settings, places).unwrap_or_else(|e| panic!("{name}: {e}"));
        for line in lines {
            assert!(script.lines().any(|written| written == *line), "{name}: {line} is not in\n{script}");
        }
        let refusal = |settings: &Settings, files: Files| {
            session::script(&pipeline, settings, files).expect_err("it is not the run of its pipeline").to_string()
        };
        let other = Settings { schedule: Levels::Spaced(Spacing::Trailing), ..settings.clone() };
        let said = refusal(&other, places);
        assert!(said.contains("draws as the scheduler of its folder says"), "{name}: {said}");
        // A picture is what one of them needs, and what the others do not start from.
        let unfit = if image { "there".into() } else { Files { image: Some("a.png"), ..places } };
        assert!(refusal(&settings, unfit).contains("picture"), "{name}");
    }
}
