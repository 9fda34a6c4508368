//! What a run shows and takes besides its plain picture, against diffusers: attention maps, other sizes, tiles, weights of words.

use super::oracle::{Oracle, device, golden};
use super::runs;
use burn::tensor::{Tensor, TensorData};
use futures_util::TryStreamExt;
use pollster::block_on;
use unnoise::backend::cpu;
use unnoise::math::{Level, NoiseSchedule, TorchGenerator};
use unnoise::nn::{AttentionMaps, Recorder};
use unnoise::pipeline::text::Prompt;
use unnoise::pipeline::{Condition, Conditioning, Pipeline, TextEncoders};
use unnoise::session::{Attention, Frame, Given};
use unnoise::settings::{Settings, Weighting};

fn open() -> Pipeline {
    Pipeline::from_dir(&golden("../pipelines/text"), &device()).expect("it loads")
}

fn oracle() -> Oracle {
    Oracle::read(&golden("../pipelines/extras.safetensors"))
}

fn encoders(pipeline: &Pipeline) -> &TextEncoders {
    match &pipeline.conditioning {
        Conditioning::Text(encoders) => encoders,
        _ => panic!("a pipeline of words"),
    }
}

fn at(pipeline: &Pipeline, t: f64) -> Level {
    pipeline.schedule.level(t)
}

fn settings() -> Settings {
    Settings { negative: String::new(), ..runs::settings() }
}

fn frames(pipeline: &Pipeline, settings: &Settings, attention: bool) -> Vec<Frame> {
    let given = Given { attention, ..Given::default() };
    block_on(pipeline.frames(settings, given).try_collect()).unwrap_or_else(|e| panic!("{}: {e}", settings.sampler))
}

/// The maps of one evaluation, of latents as large as they are trained on and of ones that are larger than a map.
#[test]
fn attention_maps_are_those_of_diffusers() {
    let (pipeline, oracle) = (open(), oracle());
    let condition = encoders(&pipeline).encode("a cat on the moon");
    let large = TorchGenerator::new(3).randn(2 * 4 * 40 * 36);
    let large = Tensor::from_data(TensorData::new(large, [2, 4, 40, 36]), &device());
    for (name, x, size) in [("small", oracle.tensor::<4>("attention/small/x"), [8, 8]), ("large", large, [20, 18])] {
        let maps = AttentionMaps::new(size);
        // What is recorded is the second half of a batch of two conditions.
        let batch = Tensor::cat(vec![x.clone() * 0.5, x], 0);
        let text = match &condition {
            Condition::Text { told, .. } => told.states.clone().repeat_dim(0, 4),
            _ => panic!("a text"),
        };
        let condition = match condition.clone() {
            Condition::Text { text: prompt, mut told } => {
                told.states = text;
                Condition::Text { text: prompt, told }
            }
            other => other,
        };
        let recorder = Recorder { maps: &maps, rows: 2..4, first: 0 };
        pipeline.output_recorded(batch, &[at(&pipeline, 700.0); 4], &condition, Some(&recorder));
        let maps = maps.take().expect("maps").permute([0, 3, 1, 2]);
        let sums = cpu::read(maps.clone().sum_dim(1));
        assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{name}: {sums:?}");
        oracle.check(&format!("attention/{name}/maps"), maps);
    }
}

/// Frames have them where they are asked for, of every sampler, and nothing else of a run changes.
#[test]
fn a_run_says_where_it_looks_only_when_asked() {
    let pipeline = open();
    // Two evaluations a step, and a method whose pictures have steps of their own.
    for sampler in ["ddim", "heun", "dpm-adaptive"] {
        let settings = Settings { sampler: sampler.to_owned(), ..settings() };
        let (plain, seen) = (frames(&pipeline, &settings, false), frames(&pipeline, &settings, true));
        assert!(plain.iter().all(|frame| frame.attention.is_none()), "{sampler}");
        assert!(seen[0].attention.is_none(), "{sampler}: nothing was looked at before the first step");
        assert_eq!(plain.len(), seen.len(), "{sampler}");
        assert!(plain.iter().zip(&seen).all(|(a, b)| a.x == b.x), "{sampler}: what is recorded changes the run");
        let maps: Vec<&Attention> = seen[1..].iter().map(|frame| frame.attention.as_ref().expect("maps")).collect();
        for (i, map) in maps.iter().enumerate() {
            assert_eq!((map.tokens, map.height, map.width, map.maps.len()), (12, 8, 8, 2 * 12 * 64), "{sampler}");
            let sum =
                |image: usize, place: usize| -> f32 { (0..12).map(|t| map.maps[(image * 12 + t) * 64 + place]).sum() };
            let whole = (0..128).all(|i| (sum(i / 64, i % 64) - 1.0).abs() < 1e-5);
            assert!(whole, "{sampler}: the weights of step {} do not sum to 1", i + 1);
        }
        assert_ne!(maps[0].maps, maps[1].maps, "{sampler}: two steps look at the same");
        assert_ne!(maps[0].maps[..12 * 64], maps[0].maps[12 * 64..], "{sampler}: two images look at the same");
    }
}

/// Of all branches of guidance, it is the prompt's.
#[test]
fn the_maps_of_a_step_are_those_of_its_prompt() {
    let pipeline = open();
    let settings = Settings { steps: 1, negative: "night".to_owned(), ..settings() };
    let frames = frames(&pipeline, &settings, true);
    let x = Tensor::from_data(TensorData::new(frames[0].x.clone(), [2, 4, 8, 8]), &device());
    let maps = AttentionMaps::new([8, 8]);
    for image in 0..2 {
        let recorder = Recorder { maps: &maps, rows: 0..1, first: image };
        let condition = encoders(&pipeline).encode(&settings.prompt);
        let own = x.clone().narrow(0, image, 1);
        pipeline.output_recorded(own, &[frames[0].level], &condition, Some(&recorder));
    }
    let expected = cpu::read(maps.take().expect("maps").permute([0, 3, 1, 2]));
    let found = &frames[1].attention.as_ref().expect("maps").maps;
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6));
}

/// The map of a word is the sum of those of its tokens.
#[test]
fn words_have_the_maps_of_their_tokens() {
    let pipeline = open();
    let tokens = pipeline.tokens(&Prompt::plain("a cat, 猫猫")).expect("a pipeline of words");
    let texts: Vec<&str> = tokens.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts[..3], ["a", "cat", ","]);
    let last = tokens.words.last().expect("words").tokens.end;
    assert_eq!((tokens.words[0].tokens.start, last), (1, tokens.ids.len() - 1));
    let contiguous = tokens.words.windows(2).all(|pair| pair[0].tokens.end == pair[1].tokens.start);
    assert!(contiguous, "{:?}", tokens.words);
    let maps: Vec<f32> = (0..2 * 12 * 4).map(|i| i as f32).collect();
    let attention = Attention { maps, tokens: 12, height: 2, width: 2 };
    let of = attention.of(&tokens.words);
    assert_eq!(of.len(), 2 * tokens.words.len() * 4);
    let own = tokens.words[0].tokens.clone();
    let expected: f32 = own.map(|token| (token * 4) as f32).sum();
    assert_eq!(of[0], expected);
}

#[test]
fn pictures_of_other_sizes_are_those_of_diffusers() {
    let (pipeline, oracle) = (open(), oracle());
    for size in [[16, 24], [40, 8]] {
        let [height, width] = size;
        let settings = Settings { size: Some(size), steps: 4, images: 1, ..pipeline.preset().expect("settings") };
        let settings = Settings { guidance: 3.0, prompt: "a cat on the moon".to_owned(), seed: 40, ..settings };
        let images = block_on(pipeline.sample(&settings)).expect("it draws");
        assert_eq!(images.shape, [3, height, width]);
        let (expected, shape) = oracle.numbers(&format!("size/{width}x{height}"));
        assert_eq!(shape, [1, 3, height, width]);
        for (i, value) in expected.iter().enumerate() {
            let (channel, place) = (i / (height * width), i % (height * width));
            let got = f64::from(images.bytes[3 * place + channel]);
            // The expected picture is not rounded to bytes.
            assert!((got - 255.0 * value).abs() <= 1.0, "{width}x{height}: value {i} is {got}, not {}", 255.0 * value);
        }
    }
    // Sides that do not halve evenly.
    let x = oracle.tensor::<4>("size/odd/x");
    let condition = encoders(&pipeline).encode("a cat on the moon");
    oracle.check("size/odd/out", pipeline.output(x, &[at(&pipeline, 300.0)], &condition));
}

#[test]
fn a_size_that_the_network_does_not_take_is_refused_with_the_nearest() {
    let pipeline = open();
    assert_eq!(pipeline.sizes(), Some([4, 2]));
    let settings = Settings { size: Some([17, 24]), ..settings() };
    let refusal = block_on(pipeline.sample(&settings)).expect_err("refused").to_string();
    assert!(refusal.contains("multiples of 2") && refusal.contains("24x18"), "{refusal}");
}

#[test]
fn tiles_are_blended_as_diffusers_blends_them() {
    let (pipeline, oracle) = (open(), oracle());
    let z = oracle.tensor::<4>("tiles/z");
    // The recorded latents are not scaled.
    let scaled = z * 0.18215;
    oracle.check("tiles/decoded", pipeline.latents.decode_tiled(scaled));
    let encoded = pipeline.latents.encode_tiled(oracle.tensor::<4>("tiles/x"));
    oracle.check("tiles/mean", encoded / 0.18215);
}

/// Of a picture twice as high and wide as what the autoencoder was trained on.
#[test]
fn tiles_show_nearly_the_whole_picture() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emoji-text");
    let pipeline = Pipeline::from_dir(&folder, &device()).expect("it loads");
    let preset = pipeline.preset().expect("settings");
    let settings = Settings { prompt: "red heart".to_owned(), steps: 6, images: 1, size: Some([128; 2]), ..preset };
    let latents = frames(&pipeline, &settings, false).pop().expect("frames").x;
    let latents = Tensor::from_data(TensorData::new(latents, [1, 4, 32, 32]), &device());
    let apart = cpu::read(pipeline.latents.decode_tiled(latents.clone()) - pipeline.latents.decode(latents));
    let mean = apart.iter().map(|v| v.abs()).sum::<f32>() / apart.len() as f32;
    let levels = 127.5 * mean;
    println!("tiles are {levels:.2} of 255 from the whole, on average");
    // Every tile is normalised by the statistics of its own places.
    assert!(levels > 0.0 && levels < TILES_APART, "{levels}");
}

/// Mean difference of tiles from the whole, of 255.
const TILES_APART: f32 = 8.0;

#[test]
fn words_are_weighted_as_the_web_ui_weights_them() {
    let (pipeline, oracle) = (open(), oracle());
    let prompt = Prompt::weighted("a (cat:1.4) on ([the] moon)");
    let tokens = pipeline.tokens(&prompt).expect("a pipeline of words");
    let (expected, _) = oracle.numbers("weighted/weights");
    let mut weights = vec![1.0; 12];
    tokens.words.iter().for_each(|word| weights[word.tokens.clone()].fill(word.weight));
    assert!(weights.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{weights:?}");
    match encoders(&pipeline).encode_prompt(&prompt, [16, 16]) {
        Condition::Text { told, .. } => oracle.check("weighted/states", told.states),
        _ => panic!("a text"),
    }
    let with = |weighting, prompt: &str| {
        let settings = Settings { weighting, prompt: prompt.to_owned(), images: 1, ..settings() };
        frames(&pipeline, &settings, false).pop().expect("frames").x
    };
    let plain = with(Weighting::None, "a cat on the moon");
    assert_eq!(plain, with(Weighting::A1111, "a cat on the moon"));
    assert_eq!(plain, with(Weighting::A1111, "a (cat:1.0) on the moon"));
    assert_ne!(plain, with(Weighting::A1111, "a (cat:1.4) on the moon"));
    assert_ne!(with(Weighting::None, "a (cat:1.4) on the moon"), with(Weighting::A1111, "a (cat:1.4) on the moon"));
}
