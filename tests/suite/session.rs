//! Runs as a person makes them, with the small network of `models/selftest` on the CPU.
#![cfg(all(feature = "cpu", feature = "autodiff"))]

use futures_util::{StreamExt, TryStreamExt};
use pollster::block_on;
use safetensors::SafeTensors;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::denoise::Clip;
use unnoise::math::Spacing;
use unnoise::models::classifier::{ClassifierConfig, NoisyClassifier};
use unnoise::pipeline::Pipeline;
use unnoise::samplers::methods;
use unnoise::session::{self, Frame, Given, Helpers, SessionError};
use unnoise::settings::{Class, Guide, Settings, Source};

fn settings() -> Settings {
    Settings { steps: 5, images: 3, seed: 40, ..Settings::default() }
}

/// Runs `settings` until `last` frames have come; `change` may alter the model before.
fn frames(settings: &Settings, last: usize, change: impl FnOnce(&mut Pipeline)) -> Result<Vec<Frame>, SessionError> {
    let mut model = tiny();
    change(&mut model);
    block_on(model.frames(settings, Given::default()).take(last).try_collect())
}

/// The small network, and the shape of its pictures.
const SHAPE: [usize; 3] = [1, 12, 12];

fn tiny() -> Pipeline {
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest");
    let model = Pipeline::from_dir(&folder, &device).unwrap();
    assert_eq!(model.shape(), SHAPE);
    model
}

fn all(settings: &Settings) -> Vec<Frame> {
    frames(settings, usize::MAX, complete).unwrap()
}

/// What a card would say: the last class serves as "no label", and clipping keeps an untrained network within bounds.
fn complete(model: &mut Pipeline) {
    model.card.null_class = Some(2);
    model.clip = Some(Clip::Range { low: -1.0, high: 1.0 });
}

#[test]
fn every_step_is_a_frame_from_noise_to_picture() {
    let frames = all(&settings());
    assert_eq!(frames.iter().map(|f| f.step).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert!(frames[0].denoised.is_none() && frames[1..].iter().all(|f| f.denoised.is_some()));
    assert!(frames.windows(2).all(|w| w[1].level.nsr() < w[0].level.nsr()));
    assert_eq!(frames[5].level.sigma, 0.0);
    assert_eq!(frames[5].timing.evaluations, 5);
    assert_ne!(frames[0].x, frames[5].x);
}

#[test]
fn nothing_is_computed_ahead_of_the_frame_that_is_awaited() {
    let frames = frames(&settings(), 3, complete).unwrap();
    assert_eq!((frames.len(), frames[2].timing.evaluations), (3, 2));
}

#[test]
fn the_pictures_of_a_run_are_those_of_its_last_frame() {
    let mut model = tiny();
    complete(&mut model);
    let images = block_on(model.sample(&settings())).unwrap();
    let last = all(&settings()).pop().unwrap().pixels(SHAPE, model.card.range).0;
    assert_eq!((images.count(), images.get(2)), (3, &last[2 * 144..]));
}

#[test]
fn a_picture_depends_on_its_own_seed_and_settings_alone() {
    for (row, noise) in
        methods::<f64>().iter().flat_map(|row| [Source::Stream, Source::Brownian].map(|noise| (row, noise)))
    {
        let random = row.noise.map(|knob| (knob.id, knob.max.min(1.0)));
        let batch = Settings {
            sampler: row.id.to_owned(),
            seed: 10,
            images: 4,
            noise,
            knobs: random.into_iter().collect(),
            ..settings()
        };
        let alone = Settings { seed: 11, images: 1, class: Class::One(1), ..batch.clone() };
        let (batch, alone) = (all(&batch), all(&alone));
        let size = alone[0].x.len();
        let of = |frame: &Frame| frame.x[size..2 * size].to_vec();
        // The noise is the same to the bit.
        assert_eq!(of(&batch[0]), alone[0].x);
        let (batch, alone) = (batch.last().unwrap(), alone.last().unwrap());
        // A matrix product over a batch may sum in another order.
        for (a, b) in of(batch).iter().zip(&alone.x) {
            assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{} with {noise:?}: {a} in the batch, {b} alone", row.id);
        }
    }
}

#[test]
fn the_same_settings_give_the_same_bits() {
    let settings = Settings { sampler: "euler-ancestral".to_owned(), ..settings() };
    assert_eq!(all(&settings)[5].x, all(&settings)[5].x);
    let other = Settings { seed: 41, ..settings.clone() };
    assert_ne!(all(&settings)[5].x, all(&other)[5].x);
}

#[test]
fn what_a_model_cannot_do_is_said_before_the_first_step() {
    let said = |settings: Settings| frames(&settings, usize::MAX, |_| ()).expect_err("refused").to_string();
    let unguided = Settings { guidance: 1.0, ..settings() };
    assert!(said(Settings { class: Class::One(9), ..unguided.clone() }).contains("classes 0 to 2"));
    assert!(
        said(Settings { class: Class::None, ..unguided.clone() })
            .contains("class must be one of the model's classes 0 to 2")
    );
    assert!(said(Settings { guidance: 2.0, ..unguided.clone() }).contains("never trained without labels"));
    assert!(said(Settings { sampler: "magic".to_owned(), ..unguided.clone() }).contains("one of euler"));
    let foreign = Settings { sampler: "heun".to_owned(), knobs: [("eta", 1.0)].into(), ..unguided.clone() };
    assert!(said(foreign).contains("Heun has no eta; its parameters are churn, "));
    assert!(said(Settings { steps: 0, ..unguided }).contains("at least 1 step"));
}

/// The frames of a run that is given more than settings.
fn given(settings: &Settings, given: Given<'_>) -> Result<Vec<Frame>, SessionError> {
    let mut model = tiny();
    complete(&mut model);
    block_on(model.frames(settings, given).try_collect())
}

/// A gradient from dark to bright, for the pictures of the small network.
fn picture() -> Vec<f32> {
    let [channels, height, width] = SHAPE;
    let values = channels * height * width;
    (0..values).map(|i| i as f32 / values as f32 - 0.5).collect()
}

fn farthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn an_adaptive_run_counts_its_steps_as_they_come() {
    let frames = all(&Settings { sampler: "dpm-adaptive".to_owned(), ..settings() });
    let last = frames.last().unwrap();
    assert!(frames.iter().all(|f| f.steps.is_none()));
    assert!(frames.windows(2).all(|w| w[1].done >= w[0].done), "progress goes back");
    assert_eq!((last.done, last.level.sigma), (1.0, 0.0));
    // Each of the three pictures takes its own number of steps, and the run as many as the longest.
    assert!((last.step + 2..=3 * last.step).contains(&last.tally.unwrap().accepted), "{:?}", last.tally);
    let one = all(&Settings { sampler: "dpm-adaptive".to_owned(), images: 1, ..settings() });
    assert_eq!(one.last().unwrap().tally.unwrap().accepted, one.last().unwrap().step);
    let finer = Settings { sampler: "dpm-adaptive".to_owned(), knobs: [("tolerance", 0.005)].into(), ..settings() };
    assert!(all(&finer).len() > frames.len());
}

#[test]
fn a_picture_is_changed_by_as_much_of_the_run_as_its_strength_says() {
    let steps = |strength| {
        let settings = Settings { strength, steps: 10, ..settings() };
        given(&settings, Given { picture: Some(picture()), ..Given::default() })
    };
    let (weak, whole) = (steps(0.3).unwrap(), steps(1.0).unwrap());
    assert_eq!((weak.len(), whole.len()), (4, 11));
    assert_eq!(weak[0].level, whole[7].level);
    let said = |e: Result<Vec<Frame>, SessionError>| e.err().unwrap().to_string();
    assert!(said(steps(0.05)).contains("strength"));
    // At 0 the picture itself comes back, at 1 nothing of it is left.
    let untouched = steps(0.0).unwrap();
    assert_eq!((untouched.len(), untouched[0].done, &untouched[0].x[..144]), (1, 1.0, &picture()[..]));
    assert_eq!(whole[10].x, all(&Settings { steps: 10, ..settings() })[10].x);
    let short = Given { picture: Some(vec![0.0; 7]), ..Given::default() };
    assert!(said(given(&settings(), short)).contains("7 values"));
}

#[test]
fn what_is_to_stay_stays() {
    let [_, height, width] = SHAPE;
    let left = |i: usize| i % width < width / 2;
    let kept = (0..height * width).map(|i| if left(i) { 1.0 } else { 0.0 }).collect();
    let sampler = "unipc-bh2".to_owned();
    let inputs = Given { picture: Some(picture()), kept: Some(kept), ..Given::default() };
    let frames = given(&Settings { sampler, steps: 4, images: 1, ..settings() }, inputs).unwrap();
    let end = &frames.last().unwrap().x;
    let off = |part: bool| {
        let each = end.iter().zip(picture()).enumerate().filter(|(i, _)| left(*i) == part);
        each.map(|(_, (a, b))| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(off(true) < 1e-5, "the kept half moved by {}", off(true));
    assert!(off(false) > 0.1, "the other half stayed");
}

#[test]
fn a_brownian_path_leads_more_steps_to_the_same_picture() {
    let end = |noise, steps| {
        let sampler = "dpmpp-2m-sde".to_owned();
        let frames =
            all(&Settings { sampler, noise, steps, schedule: Spacing::LogSnr.into(), images: 1, ..settings() });
        frames.last().unwrap().x.clone()
    };
    let apart = |noise| farthest(&end(noise, 40), &end(noise, 80));
    let (path, stream) = (apart(Source::Brownian), apart(Source::Stream));
    assert!(path < 0.5 * stream, "{path} apart along a path, {stream} with fresh draws");
}

#[test]
fn every_kind_of_guidance_changes_the_picture_or_says_why_it_cannot() {
    let run = |guide, rescale, sampler: &str| {
        let sampler = sampler.to_owned();
        given(&Settings { guide, rescale, sampler, guidance: 3.0, ..settings() }, Given::default())
    };
    let end = |guide, rescale| run(guide, rescale, "ddim").unwrap().pop().unwrap().x;
    let plain = end(Guide::Cfg, 0.0);
    for (guide, rescale) in [(Guide::CfgPlusPlus, 0.0), (Guide::Perpendicular(Some(1)), 0.0), (Guide::Cfg, 0.7)] {
        assert!(farthest(&plain, &end(guide, rescale)) > 1e-3, "{guide} with rescale {rescale} is plain guidance");
    }
    let weighted = Settings {
        guide: Guide::Perpendicular(Some(1)),
        guidance: 3.0,
        perp_weight: 0.0,
        sampler: "ddim".to_owned(),
        ..settings()
    };
    let unpushed = given(&weighted, Given::default()).unwrap().pop().unwrap().x;
    assert!(farthest(&unpushed, &end(Guide::Perpendicular(Some(1)), 0.0)) > 1e-3, "the weight does nothing");
    let said = run(Guide::CfgPlusPlus, 0.0, "heun").err().unwrap().to_string();
    assert!(said.contains("DDIM"), "{said}");
    assert!(run(Guide::Perpendicular(Some(9)), 0.0, "ddim").err().unwrap().to_string().contains("classes 0 to 2"));

    // Led away from itself a model goes nowhere, however hard it is pushed.
    let mut same = tiny();
    complete(&mut same);
    let helpers = Helpers { worse: Some(&same), ..Helpers::default() };
    let pushed = given(&Settings { guidance: 3.0, ..settings() }, Given { helpers, ..Given::default() }).unwrap();
    let alone = given(&Settings { guidance: 1.0, ..settings() }, Given::default()).unwrap();
    assert!(farthest(&pushed.last().unwrap().x, &alone.last().unwrap().x) < 1e-4);
}

/// A classifier with random weights leads too. What it leads to is held in `tests/suite/classifier.rs`.
#[test]
fn a_classifier_leads_as_far_as_its_scale_says_or_it_is_said_why_not() {
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let net = |channels, classes| {
        let config = format!(
            r#"{{"in_channels": {channels}, "num_classes": {classes}, "block_out_channels": [8], "norm_num_groups": 4}}"#
        );
        NoisyClassifier::new(&ClassifierConfig::from_json(&config).unwrap(), &device)
    };
    let run = |classifier, net: Option<&NoisyClassifier>| {
        let helpers = Helpers { classifier: net, ..Helpers::default() };
        given(&Settings { classifier, ..settings() }, Given { helpers, ..Given::default() })
    };
    let (fits, coloured, narrow) = (net(1, 3), net(3, 3), net(1, 1));
    let end = |scale| run(scale, Some(&fits)).unwrap().pop().unwrap().x;
    let (alone, weak, strong) = (end(0.0), end(0.5), end(2.0));
    assert_eq!(alone, run(0.0, None).unwrap().pop().unwrap().x);
    assert!(farthest(&alone, &weak) > 1e-4 && farthest(&alone, &strong) > farthest(&alone, &weak));
    let said = |net| run(2.0, net).expect_err("refused").to_string();
    assert!(said(None).contains("needs a classifier, and none was given"));
    assert!(said(Some(&coloured)).contains("images of 3 channels, but this model's have 1"));
    assert!(said(Some(&narrow)).contains("Class 1"));
}

#[test]
fn a_worse_model_of_other_data_is_refused() {
    let mut other = tiny();
    other.card.classes.pop();
    let helpers = Helpers { worse: Some(&other), ..Helpers::default() };
    let refusal = given(&settings(), Given { helpers, ..Given::default() }).err().unwrap().to_string();
    assert!(refusal.contains("classes differ from the model's"), "{refusal}");
}

#[test]
fn a_variation_goes_to_the_picture_of_the_other_seed() {
    for (sampler, noise) in [
        ("ddim", Source::Stream),
        ("euler-ancestral", Source::Stream),
        ("dpmpp-2m-sde", Source::Brownian),
        ("dpm-adaptive", Source::Stream),
    ] {
        let draw = |seed, variation| {
            let settings =
                Settings { sampler: sampler.to_owned(), noise, seed, variation, variation_seed: 90, ..settings() };
            all(&settings).into_iter().map(|frame| frame.x).collect::<Vec<_>>()
        };
        let [plain, half, full] = [0.0, 0.5, 1.0].map(|variation| draw(40, variation));
        assert_eq!(full, draw(90, 0.0), "{sampler}");
        assert_ne!(plain, full, "{sampler}");
        let apart = |ends: &[Vec<f32>]| farthest(&half[0], &ends[0]);
        assert!(apart(&plain) > 0.5 && apart(&full) > 0.5, "{sampler}");
    }
}

#[test]
fn a_run_that_diffusers_can_make_is_a_script_and_another_is_a_sentence() {
    let mut model = tiny();
    complete(&mut model);
    let script =
        |settings: &Settings| session::script(&model, settings, "models/tiny".into()).map_err(|e| e.to_string());
    let text = script(&Settings { sampler: "ddim".to_owned(), ..settings() }).unwrap();
    assert!(text.contains("DDIMScheduler") && text.contains("models/tiny") && text.contains("40 + i"), "{text}");
    for (change, says) in [
        (Settings { sampler: "er-sde".to_owned(), ..settings() }, "diffusers"),
        (Settings { rescale: 0.5, ..settings() }, "rescaling"),
        (Settings { variation: 0.5, ..settings() }, "another seed's"),
        (Settings { classifier: 0.5, ..settings() }, "classifier"),
        (Settings { schedule: Spacing::KlOptimal.into(), ..settings() }, "kl-optimal"),
    ] {
        let said = script(&change).unwrap_err();
        assert!(said.contains(says), "{said}");
    }
}

/// The network has random weights, so what is held is that every choice of the page leads to a picture.
#[test]
fn every_sampler_and_every_schedule_makes_a_picture() {
    for method in methods::<f64>() {
        let last = all(&Settings { sampler: method.id.to_owned(), images: 1, ..settings() }).pop().unwrap();
        assert_eq!((last.done, last.level.sigma), (1.0, 0.0), "{}", method.id);
    }
    for schedule in Spacing::ALL {
        let mut settings = Settings { schedule: schedule.into(), images: 1, ..settings() };
        settings.fit_schedule();
        let frames = all(&settings);
        assert_eq!(frames.len(), settings.steps + 1, "{}", settings.schedule);
    }
}

/// The picture that diffusers' DDIMPipeline draws of a folder without a card whose scheduler clips: the network's own noise
/// stays beside the clipped estimate.
#[test]
fn a_folder_without_a_card_draws_the_picture_of_its_ddim_pipeline() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/networks/cifar_like");
    if !folder.exists() {
        println!("skipped: {} is absent", folder.display());
        return;
    }
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let model = Pipeline::from_dir(&folder, &device).unwrap();
    let settings = Settings {
        sampler: "ddim".to_owned(),
        steps: 10,
        schedule: Spacing::Leading.into(),
        seed: 211,
        images: 1,
        class: Class::None,
        guidance: 1.0,
        ..Settings::default()
    };
    let pixels = block_on(model.sample(&settings)).unwrap().bytes;
    let oracle = std::fs::read(folder.join("oracle.safetensors")).unwrap();
    let oracle = SafeTensors::deserialize(&oracle).unwrap();
    let wanted = oracle.tensor("ddim/image01").unwrap();
    let wanted: Vec<f32> = wanted.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(wanted.len(), pixels.len());
    // Its values stand channel by channel, the bytes pixel by pixel.
    let [channels, height, width] = model.shape();
    for (i, got) in pixels.iter().enumerate() {
        let wanted = 255.0 * wanted[i % channels * height * width + i / channels];
        assert!((f32::from(*got) - wanted).abs() <= 2.0, "{got} for {wanted}");
    }
}

#[test]
fn a_share_of_a_run_draws_its_pictures_as_the_whole_does() {
    let mut model = tiny();
    complete(&mut model);
    let size = SHAPE.iter().product::<usize>();
    for (sampler, class) in [("ddpm", Class::All), ("dpm-adaptive", Class::One(1)), ("dpmpp-2m-sde", Class::None)] {
        // The seeds of its pictures go round past the largest.
        let settings = Settings {
            seed: u32::MAX - 1,
            variation: 0.4,
            variation_seed: 8,
            images: 5,
            sampler: sampler.into(),
            class,
            ..settings()
        };
        let draw = |settings: &Settings, given| -> Vec<Frame> {
            block_on(model.frames(settings, given).try_collect()).unwrap()
        };
        let whole = draw(&settings, Given::default());
        for range in [0..2, 2..5, 4..9] {
            let (settings, given) = settings.share(Given::default(), range.clone());
            let share = draw(&settings, given);
            let (share, whole) = (&share.last().unwrap().x, &whole.last().unwrap().x);
            assert_eq!(share[..], whole[range.start * size..range.end.min(5) * size], "{sampler} {range:?}");
        }
    }
}
