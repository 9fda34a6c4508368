//! Many samples of one model.

use std::ops::ControlFlow;
use unnoise::backend::Opened;
use unnoise::eval::quality::Album;
use unnoise::models::Pretrained;
use unnoise::session::{self, Given, SessionError};
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
        let mut last = Vec::new();
        let end = session::run(model, &batch, given, &opened.device, async |frame| {
            watch(from as f64 + frame.done * (to - from) as f64);
            last = frame.pixels(shape, model.card.range).0;
            ControlFlow::Continue(())
        });
        let _ = end.await?;
        album.bytes.extend(last);
    }
    Ok(album)
}
