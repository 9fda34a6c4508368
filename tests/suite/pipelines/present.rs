//! Steps shown on their device are those that are read back otherwise.

use super::oracle::{device, golden};
use super::runs::settings;
use futures_util::TryStreamExt;
use pollster::block_on;
use std::cell::RefCell;
use std::future::ready;
use unnoise::backend::{Present, Work, cpu};
use unnoise::burn::tensor::Tensor;
use unnoise::pipeline::Pipeline;
use unnoise::session::{Frame, Given};
use unnoise::settings::{Preview, Settings};

/// What was to be shown: points and estimates.
#[derive(Default)]
struct Recorder(RefCell<Vec<Presented>>);

/// The values of `x_t` and of the estimate of `x_0`.
type Presented = (Vec<f32>, Option<Vec<f32>>);

impl Present for Recorder {
    fn present(&self, x: Tensor<4>, denoised: Option<Tensor<4>>) -> Work<()> {
        self.0.borrow_mut().push((cpu::read(x), denoised.map(cpu::read)));
        Box::pin(ready(Ok(())))
    }
}

/// What is seen of a frame that was read back: the pictures of latents, and of pictures the point at unit scale.
fn seen(frame: &Frame) -> (Vec<f32>, Option<Vec<f32>>) {
    if let Some(shown) = &frame.shown {
        return (shown.x.clone(), shown.denoised.clone());
    }
    let size = frame.x.len() / frame.levels.len();
    let scaled = frame.x.chunks(size).zip(&frame.levels).flat_map(|(x, level)| {
        let std = level.marginal_std() as f32;
        x.iter().map(move |v| v / std)
    });
    (scaled.collect(), frame.denoised.clone())
}

fn holds(what: &str, pipeline: &Pipeline, settings: &Settings, given: Given) {
    let run = |given| -> Vec<Frame> { block_on(pipeline.frames(settings, given).try_collect()).expect("it runs") };
    let recorder = Recorder::default();
    let presented = run(Given { present: Some(&recorder), ..given.clone() });
    let read = run(given);
    let shown = recorder.0.into_inner();
    let frames = read.len();
    assert_eq!((presented.len(), shown.len()), (frames, frames), "{what}");
    for (i, ((presented, read), shown)) in presented.iter().zip(&read).zip(&shown).enumerate() {
        let (x, denoised) = seen(read);
        let near = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near(&shown.0, &x), "{what}: the point of step {i}");
        match (&shown.1, &denoised) {
            (Some(shown), Some(denoised)) => assert!(near(shown, denoised), "{what}: the estimate of step {i}"),
            (shown, denoised) => assert!(shown.is_none() && denoised.is_none(), "{what}: step {i} has one estimate"),
        }
        match i == 0 || i + 1 == frames {
            true => assert_eq!((&presented.x, &presented.shown), (&read.x, &read.shown), "{what}: step {i}"),
            false => assert!(presented.x.is_empty() && presented.denoised.is_none() && presented.shown.is_none()),
        }
        assert_eq!((presented.step, presented.done, &presented.levels), (read.step, read.done, &read.levels), "{what}");
    }
}

#[test]
fn pictures_are_shown_as_they_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest");
    let pipeline = Pipeline::from_dir(&folder, &device()).expect("it loads");
    let settings = Settings { steps: 4, images: 3, seed: 3, guidance: 1.0, ..Settings::default() };
    holds("DDIM", &pipeline, &settings, Given::default());
    let adaptive = Settings { sampler: "dpm-adaptive".to_owned(), ..settings };
    holds("a method that chooses its steps", &pipeline, &adaptive, Given::default());
}

#[test]
fn latents_are_shown_by_the_linear_map_or_decoded() {
    let pipeline = Pipeline::from_dir(&golden("../pipelines/text"), &device()).expect("it loads");
    let [channels, height, width] = pipeline.picture();
    let picture = (0..channels * height * width).map(|i| (i % 7) as f32 / 4.0 - 0.8).collect();
    let kept = (0..height * width).map(|i| if i % width < width / 2 { 1.0 } else { 0.0 }).collect();
    let started = Given { picture: Some(picture), kept: Some(kept), ..Given::default() };
    for preview in [Preview::Auto, Preview::Linear, Preview::Decode] {
        let settings = Settings { preview, ..settings() };
        holds(&format!("{preview:?}"), &pipeline, &settings, Given::default());
        holds(
            &format!("{preview:?} from a picture"),
            &pipeline,
            &Settings { strength: 0.7, ..settings.clone() },
            started.clone(),
        );
        holds(&format!("{preview:?} of no steps"), &pipeline, &Settings { strength: 0.0, ..settings }, started.clone());
    }
}
