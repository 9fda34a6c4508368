//! Many samples of one model.

use std::ops::ControlFlow;
use unnoise::backend::Opened;
use unnoise::eval::quality::Album;
use unnoise::models::Pretrained;
use unnoise::session::{self, Frame, Given, SessionError};
use unnoise::settings::Settings;

/// Pictures that go through the network together.
const BATCH: usize = 32;

/// `n` samples. Picture `i` has the seed of the settings plus `i`, and the class of training picture `i`, so that the classes
/// are as frequent as in the data; fewer samples are the first of more. `watch` is told how many pictures, in parts, are done.
pub async fn draw(
    model: &Pretrained,
    settings: &Settings,
    (n, training): (usize, &Album),
    opened: &Opened,
    watch: &mut dyn FnMut(f64),
) -> Result<Album, SessionError> {
    let shape = model.shape();
    let labels = match model.classes() {
        0 => Vec::new(),
        _ => training.labels.iter().copied().cycle().take(n).collect(),
    };
    let mut album = Album { bytes: Vec::new(), labels, shape };
    for from in (0..n).step_by(BATCH) {
        let to = (from + BATCH).min(n);
        let batch = Settings { images: to - from, seed: settings.seed.wrapping_add(from as u32), ..settings.clone() };
        let given = Given { classes: album.labels.get(from..to).map(<[usize]>::to_vec), ..Given::default() };
        let mut part = |done: f64| watch(from as f64 + done * (to - from) as f64);
        album.bytes.extend(last(model, &batch, given, opened, &mut part).await?);
    }
    Ok(album)
}

/// What a run ends in, as bytes. `watch` is told the share of the run that is done.
pub async fn last(
    model: &Pretrained,
    settings: &Settings,
    given: Given<'_>,
    opened: &Opened,
    watch: &mut dyn FnMut(f64),
) -> Result<Vec<u8>, SessionError> {
    let mut bytes = Vec::new();
    let each = async |frame: Frame| {
        watch(frame.done);
        bytes = frame.pixels(model.shape(), model.card.range).0;
        ControlFlow::Continue(())
    };
    // Whoever receives the frames never breaks the run off.
    let _: ControlFlow<()> = session::run(model, settings, given, &opened.device, each).await?;
    Ok(bytes)
}
