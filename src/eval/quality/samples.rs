//! Many samples of one model, and those that lie nearest to a training picture.

use super::{Album, Reference};
use crate::pipeline::Pipeline;
use crate::session::{Given, SessionError};
use crate::settings::Settings;
use futures_util::StreamExt;
use std::pin::pin;

/// Pictures that go through the network together.
const BATCH: usize = 32;

/// `n` samples. Picture `i` has the seed of the settings plus `i`, and the class of training picture `i`, so that the classes
/// are as frequent as in the data; fewer samples are the first of more. `watch` gets how many pictures, in parts, are done.
///
/// # Errors
/// Settings that do not fit the model, a device that failed.
pub async fn draw(
    model: &Pipeline,
    settings: &Settings,
    (n, training): (usize, &Album),
    watch: &mut dyn FnMut(f64),
) -> Result<Album, SessionError> {
    let shape = model.picture_of(settings);
    let labels = match model.classes() {
        0 => Vec::new(),
        _ => training.labels.iter().copied().cycle().take(n).collect(),
    };
    let mut album = Album { bytes: Vec::new(), labels, shape };
    for from in (0..n).step_by(BATCH) {
        let to = (from + BATCH).min(n);
        let batch = Settings { images: to - from, ..settings.from_image(from) };
        let given = Given { classes: album.labels.get(from..to).map(<[usize]>::to_vec), ..Given::default() };
        let mut part = |done: f64| watch(from as f64 + done * (to - from) as f64);
        album.bytes.extend(last(model, &batch, given, &mut part).await?);
    }
    Ok(album)
}

/// What a run ends in, as bytes. `watch` gets the share of the run that is done.
///
/// # Errors
/// As [`draw`].
pub async fn last(
    model: &Pipeline,
    settings: &Settings,
    given: Given<'_>,
    watch: &mut dyn FnMut(f64),
) -> Result<Vec<u8>, SessionError> {
    let mut frames = pin!(model.frames(settings, given));
    let mut bytes = Vec::new();
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        watch(frame.done);
        bytes = frame.pixels(model.picture_of(settings), model.card.range).0;
    }
    Ok(bytes)
}

/// Samples that are shown beside their nearest training pictures.
const SHOWN: usize = 16;

/// The bytes of the samples that lie nearest to a training picture, and below each its three nearest ones; and how many
/// samples they are.
pub fn beside_nearest(reference: &Reference, samples: &Album, training: &Album) -> (Vec<u8>, usize) {
    let mut near: Vec<_> = reference.nearest(samples, 3).into_iter().enumerate().collect();
    near.sort_by(|(_, a), (_, b)| a[0].distance.total_cmp(&b[0].distance));
    near.truncate(SHOWN);
    let rows = near.first().map_or(0, |(_, neighbours)| neighbours.len());
    let row = |place: usize| near.iter().map(move |(_, near)| training.picture(near[place].index));
    let below = (0..rows).flat_map(row);
    let bytes = near.iter().map(|(i, _)| samples.picture(*i)).chain(below).flatten().copied().collect();
    (bytes, near.len())
}
