//! Runs that begin with the picture of their settings, as a link carries it.
#![cfg(all(feature = "cpu", feature = "autodiff"))]

use crate::selftest::model;
use futures_util::TryStreamExt;
use pollster::block_on;
use unnoise::picture;
use unnoise::session::{Frame, Given, SessionError, script};
use unnoise::settings::{Settings, Start, StartPicture};

const SIDE: usize = 12;

fn pixels() -> Vec<u8> {
    (0..SIDE * SIDE).map(|p| (p * 7 % 256) as u8).collect()
}

/// 255 in the left half.
fn kept() -> Vec<u8> {
    (0..SIDE * SIDE).map(|p| if p % SIDE < SIDE / 2 { 255 } else { 0 }).collect()
}

fn start(kept: Option<&[u8]>) -> Start {
    Start::Picture(StartPicture::new(&pixels(), kept, [SIDE, SIDE, 1]).unwrap())
}

/// Through a link, as a run that is shared goes.
fn settings(start: Start, strength: f64) -> Settings {
    let settings = Settings { start, strength, steps: 4, images: 2, ..Settings::default() };
    let (read, problems) = Settings::from_link(&settings.to_link());
    assert_eq!((&read, problems), (&settings, vec![]));
    read
}

fn run(settings: &Settings, given: Given) -> Result<Vec<Frame>, SessionError> {
    block_on(model().frames(settings, given).try_collect())
}

fn end(settings: &Settings, given: Given) -> Vec<f32> {
    run(settings, given).unwrap().pop().unwrap().x
}

#[test]
fn the_picture_of_a_link_is_as_good_as_one_that_is_given() {
    let values = || Some(picture::from_bytes(&pixels(), [1, SIDE, SIDE], [-1.0, 1.0]));
    let mask = || Some(kept().into_iter().map(|v| f32::from(v) / 255.0).collect());
    for (strength, masked) in [(0.5, false), (0.5, true), (1.0, true), (0.0, false)] {
        let linked = settings(start(masked.then(kept).as_deref()), strength);
        let plain = Settings { start: Start::Noise, ..linked.clone() };
        let given = Given { picture: values(), kept: masked.then(mask).flatten(), ..Given::default() };
        assert_eq!(end(&linked, Given::default()), end(&plain, given), "strength {strength}, masked {masked}");
    }
}

#[test]
fn a_run_that_begins_with_a_picture_does_not_begin_with_noise() {
    let said = |settings: &Settings| run(settings, Given::default()).unwrap_err().to_string();
    assert!(said(&settings(Start::Asked, 1.0)).starts_with("This run begins with a picture, and none is given"));
    assert!(said(&Settings { strength: 0.5, ..Settings::default() }).starts_with("This run begins with a picture"));
    let small = Start::Picture(StartPicture::new(&[1, 2, 3], None, [1, 1, 3]).unwrap());
    assert_eq!(
        said(&settings(small, 0.5)),
        "The settings' picture is 1×1 in 3 channels, but this model's are 12×12 in 1 channel; choose one anew."
    );
}

#[test]
fn a_script_starts_from_noise_and_says_where_that_is_not_the_run() {
    let written = |start, strength| script(&model(), &settings(start, strength), "models/selftest".into());
    for (start, strength) in [(start(None), 0.5), (start(Some(&kept())), 1.0), (Start::Asked, 1.0)] {
        let said = written(start, strength).unwrap_err().to_string();
        assert!(said.contains("this run starts from a picture"), "{said}");
    }
    // At full strength a picture of which nothing stays is forgotten.
    assert_eq!(written(start(None), 1.0).unwrap(), written(Start::Noise, 1.0).unwrap());
}
