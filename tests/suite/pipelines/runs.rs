//! Runs of a small text pipeline of our own, as a person makes them: samplers, guidance, start pictures, frames.

use super::oracle::{device, golden};
use futures_util::TryStreamExt;
use pollster::block_on;
use unnoise::math::Spacing;
use unnoise::pipeline::Pipeline;
use unnoise::samplers::methods;
use unnoise::session::{self, Frame, Given, SessionError};
use unnoise::settings::{Clip, Guide, Preview, Settings, Source, Weighting};

fn open() -> Pipeline {
    Pipeline::from_dir(&golden("../pipelines/text"), &device()).expect("it loads")
}

pub fn settings() -> Settings {
    Settings {
        prompt: "a cat on the moon".to_owned(),
        negative: "night".to_owned(),
        sampler: "ddim".to_owned(),
        steps: 3,
        images: 2,
        guidance: 3.0,
        seed: 40,
        ..Settings::default()
    }
}

fn given(pipeline: &Pipeline, settings: &Settings, given: Given) -> Result<Vec<Frame>, SessionError> {
    block_on(pipeline.frames(settings, given).try_collect())
}

fn frames(pipeline: &Pipeline, settings: &Settings) -> Vec<Frame> {
    given(pipeline, settings, Given::default()).unwrap_or_else(|e| panic!("{}: {e}", settings.sampler))
}

fn end(pipeline: &Pipeline, settings: &Settings) -> Vec<f32> {
    frames(pipeline, settings).pop().expect("frames").x
}

fn farthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// A picture of two colours, and a mask that keeps its left half.
fn start(pipeline: &Pipeline) -> (Vec<f32>, Vec<f32>) {
    let [channels, height, width] = pipeline.picture();
    let picture = (0..channels * height * width).map(|i| if i / width % height < height / 2 { 0.8 } else { -0.6 });
    let kept = (0..height * width).map(|i| if i % width < width / 2 { 1.0 } else { 0.0 });
    (picture.collect(), kept.collect())
}

#[test]
fn every_sampler_draws_latents() {
    let pipeline = open();
    for row in methods::<f64>() {
        let frames = frames(&pipeline, &Settings { sampler: row.id.to_owned(), images: 1, ..settings() });
        let last = frames.last().expect("frames");
        assert_eq!((last.done, last.level.sigma), (1.0, 0.0), "{}", row.id);
        let shown = last.shown.as_ref().expect("its picture");
        assert_eq!(shown.x.len(), pipeline.picture().iter().product::<usize>(), "{}", row.id);
    }
}

/// The scheduler of the folder has no grid of as many steps as there may be.
#[test]
fn methods_that_choose_their_steps_take_the_models_own_schedule() {
    let pipeline = open();
    let own = Settings { sampler: "dpm-adaptive".to_owned(), ..pipeline.preset().expect("settings") };
    let spaced = Settings { schedule: Spacing::Trailing.into(), ..own.clone() };
    assert_eq!(end(&pipeline, &own), end(&pipeline, &spaced));
}

#[test]
fn a_latent_picture_depends_on_its_own_seed_alone() {
    let pipeline = open();
    for (sampler, noise) in
        [("euler-ancestral", Source::Stream), ("dpmpp-sde", Source::Brownian), ("dpm-adaptive", Source::Stream)]
    {
        let batch = Settings { sampler: sampler.to_owned(), noise, images: 2, ..settings() };
        let alone = Settings { seed: 41, images: 1, ..batch.clone() };
        let (batch, alone) = (end(&pipeline, &batch), end(&pipeline, &alone));
        // A product over a batch may sum in another order.
        assert!(farthest(&batch[alone.len()..], &alone) < 1e-3, "{sampler}");
    }
}

/// What the kinds of guidance make of the three branches: the prompt, the empty text and the negative prompt.
#[test]
fn every_kind_of_guidance_acts_on_prompts() {
    let pipeline = open();
    let with = |change: fn(&mut Settings)| {
        let mut settings = settings();
        change(&mut settings);
        end(&pipeline, &settings)
    };
    let plain = with(|_| ());
    for (what, other) in [
        ("no guidance", with(|s| s.guidance = 1.0)),
        ("no negative prompt", with(|s| s.negative.clear())),
        ("another prompt", with(|s| s.prompt = "night".to_owned())),
        ("cfg++", with(|s| s.guide = Guide::CfgPlusPlus)),
        ("perpendicular", with(|s| s.guide = Guide::Perpendicular(None))),
        ("rescaled", with(|s| s.rescale = 0.7)),
        ("an interval", with(|s| s.guidance_range = [0.5, 5.0])),
    ] {
        assert!(farthest(&plain, &other) > 1e-3, "{what} changes nothing");
    }
    // Of a weight of 0 nothing is pushed away from, so that the negative prompt has no part in it.
    let unpushed = |s: &mut Settings| (s.guide, s.perp_weight) = (Guide::Perpendicular(None), 0.0);
    let without = |s: &mut Settings| s.negative.clear();
    let (mut a, mut b) = (settings(), settings());
    unpushed(&mut a);
    without(&mut b);
    assert!(farthest(&end(&pipeline, &a), &end(&pipeline, &b)) < 1e-4);
}

#[test]
fn steps_are_decoded_or_shown_by_a_linear_map_and_the_last_is_decoded() {
    let pipeline = open();
    let run = |preview| frames(&pipeline, &Settings { preview, ..settings() });
    let (auto, linear, decoded) = (run(Preview::Auto), run(Preview::Linear), run(Preview::Decode));
    let shown = |frame: &Frame| frame.shown.clone().expect("pictures");
    assert_eq!((shown(&linear[3]), shown(&auto[3])), (shown(&decoded[3]), shown(&decoded[3])));
    // Estimates are decoded in runs of few steps, where nothing else is asked for.
    for (auto, (linear, decoded)) in auto[1..3].iter().zip(linear[1..].iter().zip(&decoded[1..])) {
        assert_eq!(shown(auto).denoised, shown(decoded).denoised);
        assert_eq!(shown(auto).x, shown(linear).x);
    }
    let many = |preview| frames(&pipeline, &Settings { preview, steps: 9, images: 1, ..settings() });
    let (auto, linear) = (many(Preview::Auto), many(Preview::Linear));
    assert!(auto.iter().zip(&linear).all(|(a, b)| shown(a) == shown(b)));
    let (linear, decoded) = (run(Preview::Linear), run(Preview::Decode));
    assert!(linear.iter().zip(&decoded).all(|(a, b)| a.x == b.x), "what is shown changes the run");
    assert_ne!(shown(&linear[1]), shown(&decoded[1]));
    let pixels = decoded[3].pixels(pipeline.picture(), pipeline.card.range);
    assert_eq!(pixels.0.len(), 2 * pipeline.picture().iter().product::<usize>());
    assert_eq!(Some(&pixels.0), pixels.1.as_ref());
}

/// A linear map cannot show all that the decoder makes of a place and its surroundings, but most of it.
#[test]
fn the_linear_map_resembles_the_decoder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/emoji-text");
    let pipeline = Pipeline::from_dir(&folder, &device()).expect("it loads");
    let settings =
        Settings { prompt: "red heart".to_owned(), steps: 6, seed: 3, ..pipeline.preset().expect("settings") };
    let run = |preview| frames(&pipeline, &Settings { preview, ..settings.clone() });
    let (linear, decoded) = (run(Preview::Linear), run(Preview::Decode));
    let estimate = |frame: &Frame| frame.shown.clone().and_then(|shown| shown.denoised).expect("an estimate");
    let (a, b) = (estimate(&linear[5]), estimate(&decoded[5]));
    let mean = |v: &[f32]| v.iter().map(|v| f64::from(*v)).sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(&a), mean(&b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| {
        a.iter().zip(&b).map(|(x, y)| f(f64::from(*x) - ma, f64::from(*y) - mb)).sum::<f64>()
    };
    let correlation = sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    println!("correlation {correlation:.3}");
    assert!(correlation > 0.88, "{correlation}");
}

#[test]
fn a_start_picture_is_encoded_and_the_kept_part_stays_to_the_pixel() {
    let pipeline = open();
    let (picture, kept) = start(&pipeline);
    let part = Settings { strength: 0.7, ..settings() };
    let from = |settings: &Settings, kept: Option<Vec<f32>>| {
        given(&pipeline, settings, Given { picture: Some(picture.clone()), kept, ..Given::default() }).expect("it runs")
    };
    let whole = from(&Settings { strength: 0.0, ..settings() }, None);
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].shown.as_ref().expect("pictures").x, picture.repeat(2));

    let changed = from(&part, None);
    assert_eq!(changed.len(), 3, "seven tenths of three steps are two");
    let free = end(&pipeline, &settings());
    assert!(farthest(&changed[2].x, &free) > 1e-2);

    let painted = from(&part, Some(kept.clone()));
    let shown = painted[2].shown.clone().expect("pictures");
    let size = picture.len();
    for (i, value) in shown.x.iter().enumerate() {
        let keeps = kept[i % kept.len()] == 1.0;
        assert!(!keeps || *value == picture[i % size], "value {i} did not stay");
    }
    let rest = |values: &[f32]| {
        values.iter().enumerate().filter(|(i, _)| kept[i % kept.len()] == 0.0).map(|(_, v)| *v).collect::<Vec<_>>()
    };
    assert!(farthest(&rest(&shown.x), &rest(&picture.repeat(2))) > 1e-2, "nothing was painted");
}

#[test]
fn what_does_not_act_on_latents_or_texts_is_refused() {
    let pipeline = open();
    for (settings, said) in [
        (Settings { clip: Clip::Range, ..settings() }, "draws latents"),
        (Settings { clip: Clip::Dynamic, ..settings() }, "draws latents"),
        (Settings { guide: Guide::Perpendicular(Some(1)), ..settings() }, "has no classes"),
    ] {
        let refusal = given(&pipeline, &settings, Given::default()).expect_err("refused").to_string();
        assert!(refusal.contains(said), "{refusal}");
    }
}

/// With the network, the decoder and the text encoder of the folders that have them.
#[test]
fn runs_of_words_become_scripts() {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let pipeline = Pipeline::from_dir(&models.join("emoji-text-turbo"), &device()).expect("it loads");
    let prompt = "a \"red\" 心".to_owned();
    let settings =
        Settings { prompt, sampler: "dpmpp-2m".to_owned(), guidance: 3.0, ..pipeline.preset().expect("settings") };
    let settings = Settings { size: Some([64, 96]), ..settings };
    let script = session::script(&pipeline, &settings, "models/emoji-text-turbo".into()).expect("diffusers has it");
    for line in [
        "model = UNet2DConditionModel.from_pretrained(\"models/emoji-text-turbo\", subfolder=\"unet\").eval()",
        "vae = AutoencoderKL.from_pretrained(\"models/emoji-text\", subfolder=\"vae\").eval()",
        "text_encoder = CLIPTextModel.from_pretrained(\"models/emoji-text\", subfolder=\"text_encoder\").float().eval()",
        "prompt, negative = \"a \\\"red\\\" 心\", \"\"",
        "        free = model(shown, t, encoder_hidden_states=without).sample",
        "height, width = 16, 24",
    ] {
        assert!(script.lines().any(|written| written == line), "{line} is not in\n{script}");
    }
    // What weights nothing is written, and what does is not what diffusers makes of it.
    let weighted = |prompt: &str| {
        let settings = Settings { weighting: Weighting::A1111, prompt: prompt.to_owned(), ..settings.clone() };
        session::script(&pipeline, &settings, "models/emoji-text-turbo".into()).map_err(|e| e.to_string())
    };
    assert!(weighted("a red heart").is_ok());
    assert!(weighted("a (red) heart").is_err_and(|e| e.contains("weighting of words")));
}

/// A model that shares parts with one beside it, and has no index of its own.
#[test]
fn parts_are_found_in_the_folder_beside() {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let pipeline = Pipeline::from_dir(&models.join("emoji-text-turbo"), &device()).expect("it loads");
    let folders: Vec<_> = pipeline.parts.iter().map(|part| part.folder).collect();
    assert_eq!((folders, pipeline.conditioning.id()), (vec!["unet", "vae", "text_encoder"], "text"));
    let images = block_on(pipeline.sample(&pipeline.preset().expect("settings"))).expect("it draws");
    assert_eq!(images.shape, [3, 64, 64]);
}
