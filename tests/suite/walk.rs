//! Walks, and what their frames between stops are conditioned on.
#![cfg(feature = "cpu")]

use crate::selftest::model;
use burn::tensor::{Tensor, TensorData};
use futures_util::TryStreamExt;
use pollster::block_on;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::math::{Level, TorchGenerator};
use unnoise::pipeline::{ClassRow, Condition, Conditioning, Pipeline, Told};
use unnoise::session::{Frame, Given};
use unnoise::settings::{Checked, Class, Page, Settings, Stop};

fn open(folder: &str) -> Pipeline {
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    Pipeline::from_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &device).unwrap()
}

fn settings() -> Settings {
    Settings { sampler: "ddpm".into(), steps: 4, images: 2, seed: 5, class: Class::One(1), ..Settings::default() }
}

fn last(model: &Pipeline, settings: &Settings) -> Vec<f32> {
    let frames: Vec<Frame> = block_on(model.frames(settings, Given::default()).try_collect()).unwrap();
    frames.into_iter().last().unwrap().x
}

fn walk(model: &Pipeline, text: &str, settings: Settings) -> Vec<Stop> {
    let page = Page { walk: Some(text.parse().unwrap()), ..Page::default() };
    Checked { settings, page, problems: Vec::new() }.walk(Some(model.facts())).unwrap()
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    block_on(backend::read(tensor)).unwrap()
}

#[test]
fn a_frame_at_a_seed_is_the_run_of_that_seed() {
    let model = model();
    let frames = walk(&model, "seed:5,11 [2]", settings());
    let drawn: Vec<_> = frames.iter().map(|frame| last(&model, &frame.settings)).collect();
    assert!(drawn[0] == last(&model, &settings()));
    assert!(drawn[2] == last(&model, &Settings { seed: 11, ..settings() }));
    assert!(drawn[1] != drawn[0] && drawn[1] != drawn[2]);
}

#[test]
fn a_frame_at_a_class_is_the_run_of_that_class() {
    let model = model();
    let frames = walk(&model, "class:0,1 [4]", settings());
    let drawn: Vec<_> = frames.iter().map(|frame| last(&model, &frame.settings)).collect();
    assert!(drawn[0] == last(&model, &Settings { class: Class::One(0), ..settings() }));
    assert!(drawn[4] == last(&model, &settings()));
    // The whole way to the other class is that class, and half of it is the same from both ends.
    let blended =
        |class, share, other| Settings { class: Class::One(class), blend: share, blend_class: other, ..settings() };
    assert!(drawn[4] == last(&model, &blended(0, 1.0, 1)));
    for (a, b) in drawn[2].iter().zip(last(&model, &blended(1, 0.5, 0))) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
    let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    assert!(far(&drawn[1], &drawn[0]) < far(&drawn[3], &drawn[0]));
}

/// Between two classes the network is given the mean of their rows; both branches of guidance go through it as one batch.
#[test]
fn between_two_classes_stands_the_mean_of_their_rows() {
    let model = model();
    let net = model.network.unet2d().unwrap();
    let x = Tensor::<4>::from_data(TensorData::new(TorchGenerator::new(3).randn(144), [1, 1, 12, 12]), &model.device);
    let level = Level { t: 400.0, alpha: 0.6, sigma: 0.8 };
    let of = |rows: &[usize]| net.class_states(rows, &model.device).unwrap();
    let states = of(&[0]) * 0.75 + of(&[1]) * 0.25;
    let by_hand = values(net.forward_conditioned(x.clone(), &[400.0], None, Some(states)));
    let row = ClassRow { class: 0, towards: 1, share: 0.25 };
    let found = values(model.output(x.clone(), &[level], &Condition::Between(vec![row])));
    for (a, b) in found.iter().zip(&by_hand) {
        // The weights of the mean are rounded in another place.
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    let class = |class| values(model.output(x.clone(), &[level], &Condition::Classes(vec![class])));
    let whole = |share| values(model.output(x.clone(), &[level], &Condition::Between(vec![ClassRow { share, ..row }])));
    assert!(whole(0.0) == class(0) && whole(1.0) == class(1));
    assert!(found != class(0) && found != class(1));
}

#[test]
fn between_two_prompts_stands_the_mean_of_their_states() {
    let model = open("tests/golden/pipelines/lcm");
    let Conditioning::Text(encoders) = &model.conditioning else { panic!("it reads texts") };
    let told = |condition: Condition| match condition {
        Condition::Text { told, .. } => *told,
        _ => panic!("a text"),
    };
    let [a, b] = ["a cat", "a red dog"].map(|text| encoders.encode(text));
    let Told { states, towards, .. } = told(a.clone().towards(b.clone(), 0.25));
    assert!(towards.is_some());
    let read = |states: Tensor<3>| block_on(backend::read(states)).unwrap();
    let by_hand = read(told(a.clone()).states * 0.75 + told(b.clone()).states * 0.25);
    assert!(read(states) == by_hand);
    assert!(
        a.clone().towards(b.clone(), 0.25) != a
            && a.clone().towards(b.clone(), 0.0) == a
            && a.clone().towards(b.clone(), 1.0) == b
    );

    let preset = model.preset().unwrap();
    let of = |prompt: &str| Settings { prompt: prompt.into(), steps: 2, images: 1, ..preset.clone() };
    let frames = walk(&model, "prompt:a cat,a red dog [2]", of(""));
    let drawn: Vec<_> = frames.iter().map(|frame| last(&model, &frame.settings)).collect();
    assert!(drawn[0] == last(&model, &of("a cat")) && drawn[2] == last(&model, &of("a red dog")));
    assert!(drawn[1] != drawn[0] && drawn[1] != drawn[2]);
}

/// SDXL is told the pooled text of its second encoder beside the states, and it goes the same way; the sizes are those of the picture.
#[test]
fn between_two_prompts_of_sdxl_stands_the_mean_of_their_pooled_texts_too() {
    let model = open("tests/golden/pipelines/xl");
    let Conditioning::Text(encoders) = &model.conditioning else { panic!("it reads texts") };
    let of = |condition: Condition| match condition {
        Condition::Text { told, .. } => {
            let added = told.added.expect("a pooled text");
            (block_on(backend::read(told.states)).unwrap(), block_on(backend::read(added.text)).unwrap(), added.sizes)
        }
        _ => panic!("a text"),
    };
    let [a, b] = ["a cat", "a red dog"].map(|text| encoders.encode(text));
    let between = of(a.clone().towards(b.clone(), 0.25));
    let (a, b) = (of(a), of(b));
    assert!(a.1 != b.1, "the pooled texts differ");
    for (i, [found, a, b]) in [[&between.0, &a.0, &b.0], [&between.1, &a.1, &b.1]].into_iter().enumerate() {
        for ((found, a), b) in found.iter().zip(a).zip(b) {
            // The mean is rounded once.
            assert!((found - (0.75 * a + 0.25 * b)).abs() <= 1e-6 * (a.abs() + b.abs()), "{i}: {found} of {a} and {b}");
        }
    }
    assert_eq!((between.2.clone(), a.2), (b.2, between.2));

    // And a run between them is none of either's.
    let preset = model.preset().unwrap();
    let settings = |prompt: &str| Settings { prompt: prompt.into(), steps: 2, images: 1, ..preset.clone() };
    let frames = walk(&model, "prompt:a cat,a red dog [2]", settings(""));
    let drawn: Vec<_> = frames.iter().map(|frame| last(&model, &frame.settings)).collect();
    assert!(drawn[0] == last(&model, &settings("a cat")) && drawn[2] == last(&model, &settings("a red dog")));
    assert!(drawn[1] != drawn[0] && drawn[1] != drawn[2]);
}

#[test]
fn a_model_without_classes_blends_none_and_says_so() {
    let model = model();
    let settings = Settings { blend: 0.5, blend_class: 7, ..settings() };
    let frames: Result<Vec<Frame>, _> = block_on(model.frames(&settings, Given::default()).try_collect());
    assert!(frames.unwrap_err().to_string().starts_with("blend-class must be one of the model's classes 0 to"));
}
