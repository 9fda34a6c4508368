//! Runs as a person makes them, with the small network of `models/selftest` on the CPU.
#![cfg(feature = "cpu")]

use pollster::block_on;
use std::ops::ControlFlow;
use std::path::Path;
use unnoise::backend::{self, Backend};
use unnoise::models::Pretrained;
use unnoise::session::{self, Frame, Given, SessionError};
use unnoise::settings::{Class, Settings};

fn settings() -> Settings {
    Settings { steps: 5, images: 3, seed: 40, ..Settings::default() }
}

/// Runs `settings` until `last` frames have come; `change` may alter the model before.
fn frames(
    settings: &Settings,
    last: usize,
    change: impl FnOnce(&mut Pretrained),
) -> Result<(Vec<Frame>, ControlFlow<()>), SessionError> {
    let device = block_on(backend::open(Backend::Cpu)).unwrap().device;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest");
    let mut model = Pretrained::from_dir(&folder, &device).unwrap();
    change(&mut model);
    let mut frames = Vec::new();
    let each = async |frame| {
        frames.push(frame);
        if frames.len() < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let end = block_on(session::run(&model, settings, Given::default(), &device, each))?;
    Ok((frames, end))
}

fn all(settings: &Settings) -> Vec<Frame> {
    frames(settings, usize::MAX, complete).unwrap().0
}

/// What a card would say: the last class serves as "no label", and clipping keeps an untrained network within bounds.
fn complete(model: &mut Pretrained) {
    model.card.null_class = Some(2);
    model.card.clip_denoised = true;
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
fn a_run_ends_where_the_receiver_says_so() {
    let (frames, end) = frames(&settings(), 3, complete).unwrap();
    assert!(end.is_break());
    assert_eq!((frames.len(), frames[2].timing.evaluations), (3, 2));
}

#[test]
fn a_picture_does_not_depend_on_the_pictures_beside_it() {
    for sampler in ["dpmpp-2m", "dpmpp-2m-sde"] {
        let batch = Settings { sampler: sampler.to_owned(), class: Class::One(1), ..settings() };
        let alone = Settings { seed: 42, images: 1, ..batch.clone() };
        let (batch, alone) = (all(&batch), all(&alone));
        let size = alone[5].x.len();
        // The noise is the same to the bit; a matrix product over a batch may sum in another order.
        assert_eq!(batch[0].x[2 * size..], alone[0].x);
        for (a, b) in batch[5].x[2 * size..].iter().zip(&alone[5].x) {
            assert!((a - b).abs() <= 2e-5 * (1.0 + b.abs()), "{sampler}: {a} in the batch, {b} alone");
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
    let said = |settings: Settings| frames(&settings, usize::MAX, |_| ()).err().expect("refused").to_string();
    let unguided = Settings { guidance: 1.0, ..settings() };
    assert!(said(Settings { class: Class::One(9), ..unguided.clone() }).contains("classes 0 to 2"));
    assert!(said(Settings { class: Class::None, ..unguided.clone() }).contains("never trained without a label"));
    assert!(said(Settings { guidance: 2.0, ..unguided.clone() }).contains("never trained without a label"));
    assert!(said(Settings { sampler: "magic".to_owned(), ..unguided.clone() }).contains("one of euler"));
    assert!(said(Settings { steps: 0, ..unguided }).contains("at least 1 step"));
}
