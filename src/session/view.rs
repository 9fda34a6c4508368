//! How the steps of a run are seen: pictures as they are, latents decoded.

mod present;

use super::frame::Shown;
use super::{Given, SessionError};
use crate::backend::{self, BackendError, ImageNoise, Present, Reading};
use crate::math::{Level, Noise};
use crate::picture;
use crate::pipeline::{Pipeline, Preview};
use crate::settings::{self, Settings};
use burn::tensor::{Tensor, TensorData};

/// Where the settings leave it open, estimates are decoded in runs of no more steps; the linear map shows nearly the same at a
/// hundredth of the cost. It depends on nothing but the settings, so that a link shows the same pictures everywhere.
const FEW: usize = 8;

/// What lies between the points of a run and what is seen of them.
pub(super) struct View<'a> {
    pipeline: &'a Pipeline,
    images: usize,
    /// Channels, height and width of sample space, and of a picture.
    shape: [usize; 3],
    picture_shape: [usize; 3],
    /// Whether `x_t` of every step is decoded, and whether its estimate is.
    points: bool,
    estimates: bool,
    /// The start picture and what stays of it, by pixels.
    picture: Option<&'a [f32]>,
    kept: Option<&'a [f32]>,
    /// What shows the pictures on their device.
    present: Option<&'a dyn Present>,
}

/// What of a step is being decoded: its point, and its estimate.
#[derive(Default)]
pub(super) struct Decoding {
    x: Option<Vec<Reading>>,
    denoised: Option<Vec<Reading>>,
}

impl<'a> View<'a> {
    /// # Errors
    /// A start picture or a mask of another size.
    pub fn new(pipeline: &'a Pipeline, settings: &Settings, given: &'a Given) -> Result<Self, SessionError> {
        let picture_shape @ [channels, height, width] = pipeline.picture_of(settings);
        has_values(given.picture.as_deref(), channels * height * width)?;
        has_values(given.kept.as_deref(), height * width)?;
        let [points, estimates] = match settings.preview {
            settings::Preview::Auto => [false, settings.steps <= FEW],
            settings::Preview::Linear => [false; 2],
            settings::Preview::Decode => [true; 2],
        };
        // A network that fills holes has decided on the rest, too.
        let kept = given.kept.as_deref().filter(|_| pipeline.network.hole() == 0);
        let picture = given.picture.as_deref();
        let (images, shape) = (settings.images, pipeline.shape_of(settings));
        let present = given.present;
        Ok(Self { pipeline, images, shape, picture_shape, points, estimates, picture, kept, present })
    }

    /// A picture `[channels, height, width]` in sample space, `[1, ...]`.
    pub fn encoded(&self, picture: &[f32]) -> Tensor<4> {
        let [channels, height, width] = self.picture_shape;
        let data = TensorData::new(picture.to_vec(), [1, channels, height, width]);
        self.pipeline.latents.encode(Tensor::from_data(data, &self.pipeline.device))
    }

    /// What a network that fills holes is given: where the picture is to be made anew, which is
    /// everywhere where nothing is to stay, and the latents of what stays of it.
    pub fn hole(&self, given: &Given, noise: &mut ImageNoise) -> Option<Tensor<4>> {
        let [channels, height, width] = self.picture_shape;
        let tensor = |values: Vec<f32>, channels| -> Tensor<4> {
            let data = TensorData::new(values, [1, channels, height, width]);
            Tensor::from_data(data, &self.pipeline.device)
        };
        let Some(picture) = given.picture.as_deref() else {
            // Of its own size the network knows by itself what it is to be given.
            return (self.shape != self.pipeline.shape()).then(|| {
                let around = self.pipeline.latents.encode(tensor(vec![0.0; channels * height * width], channels));
                let hole = self.pipeline.hole(tensor(vec![1.0; height * width], 1), around);
                hole.repeat_dim(0, self.images)
            });
        };
        let stays = |i: usize| given.kept.as_ref().is_some_and(|kept| kept[i % (height * width)] > 0.5);
        let mask = (0..height * width).map(|i| if stays(i) { 0.0 } else { 1.0 }).collect();
        let around = picture.iter().enumerate().map(|(i, v)| if stays(i) { *v } else { 0.0 }).collect();
        let (mask, around) = (tensor(mask, 1), tensor(around, channels));
        let around = around.repeat_dim(0, self.images);
        let latents = self.pipeline.latents.encode_with(around, |mean| noise.normal(mean));
        Some(self.pipeline.hole(mask.repeat_dim(0, self.images), latents))
    }

    /// What stays of the places of sample space: a place of latents stays where all its pixels do.
    pub fn kept_places(&self, kept: &[f32]) -> Vec<f32> {
        let ([_, height, width], factor) = (self.shape, self.pipeline.latents.factor());
        let pixel = |row: usize, column: usize| kept[row * width * factor + column];
        let place = |row: usize, column: usize| {
            let inside = (0..factor * factor).map(|i| (row * factor + i / factor, column * factor + i % factor));
            inside.map(|(row, column)| pixel(row, column)).fold(1.0, f32::min)
        };
        (0..height * width).map(|i| place(i / width, i % width)).collect()
    }

    /// The start picture, of which nothing is changed.
    pub fn untouched(&self) -> Option<Shown> {
        let picture = self.picture.filter(|_| self.pipeline.is_latent())?;
        Some(Shown { x: picture.repeat(self.images), denoised: None })
    }

    /// Begins to decode what is seen of a step before the last. Of the last it is only known once its values are.
    pub async fn begin(&self, x: &Tensor<4>, denoised: Option<&Tensor<4>>, levels: &[Level], last: bool) -> Decoding {
        let latent = self.pipeline.is_latent() && !last;
        let x = match latent && self.points {
            true => Some(self.decode(x.clone() / self.deviations(levels)).await),
            false => None,
        };
        let denoised = match denoised.filter(|_| latent && self.estimates) {
            Some(denoised) => Some(self.decode(denoised.clone()).await),
            None => None,
        };
        Decoding { x, denoised }
    }

    /// The pictures of the latents of a step; `None` where the points are pictures themselves. `x_t` is first divided by
    /// its level's marginal standard deviation, which is that of latents of pictures.
    ///
    /// # Errors
    /// The device failed.
    pub async fn show(
        &self,
        decoding: Decoding,
        x: &[f32],
        denoised: Option<&[f32]>,
        levels: &[Level],
        last: bool,
    ) -> Result<Option<Shown>, SessionError> {
        if !self.pipeline.is_latent() || x.is_empty() {
            return Ok(None);
        }
        let size = x.len() / self.images;
        let scaled = x.chunks(size).zip(levels).flat_map(|(x, at)| {
            let std = at.marginal_std() as f32;
            x.iter().map(move |v| v / std)
        });
        let x: Vec<f32> = scaled.collect();
        let mut seen = match denoised {
            Some(denoised) => Some(self.pictures(decoding.denoised, denoised, last).await?),
            None => None,
        };
        // At the end most samplers arrive at the estimate itself.
        let mut x = match &seen {
            Some(seen) if last && denoised == Some(&x) => seen.clone(),
            _ => self.pictures(decoding.x, &x, last).await?,
        };
        self.keep(seen.iter_mut().chain(last.then_some(&mut x)));
        Ok(Some(Shown { x, denoised: seen }))
    }

    /// The pictures of latents: as they were decoded, or decoded now, or else by the linear map.
    async fn pictures(
        &self,
        decoded: Option<Vec<Reading>>,
        latents: &[f32],
        now: bool,
    ) -> Result<Vec<f32>, SessionError> {
        let (shape @ [channels, height, width], pipeline) = (self.shape, self.pipeline);
        let parts = match decoded {
            Some(parts) => parts,
            None if now => {
                let data = TensorData::new(latents.to_vec(), [self.images, channels, height, width]);
                self.decode(Tensor::from_data(data, &pipeline.device)).await
            }
            None => return Ok(preview(pipeline).await?.show(latents, shape)),
        };
        let mut pictures = Vec::new();
        for part in parts {
            pictures.extend(part.done().await?);
        }
        Ok(pictures)
    }

    /// Begins to decode latents, in parts.
    async fn decode(&self, latents: Tensor<4>) -> Vec<Reading> {
        let mut parts = Vec::new();
        for part in self.pipeline.latents.decode_parts(&latents) {
            parts.push(backend::begin(part).await);
        }
        parts
    }

    /// The marginal standard deviation of each picture's level, `[images, 1, 1, 1]`.
    fn deviations(&self, levels: &[Level]) -> Tensor<4> {
        let deviations: Vec<_> = levels.iter().map(|at| at.marginal_std() as f32).collect();
        let data = TensorData::new(deviations, [self.images, 1, 1, 1]);
        Tensor::from_data(data, &self.pipeline.device)
    }

    /// Puts what stays of the start picture over pictures, pixel by pixel: an autoencoder gives none back as it was.
    fn keep<'b>(&self, pictures: impl Iterator<Item = &'b mut Vec<f32>>) {
        let Some((picture, kept)) = self.picture.zip(self.kept) else { return };
        let at = picture.iter().zip(kept.iter().cycle());
        for values in pictures {
            for one in values.chunks_mut(picture.len()) {
                one.iter_mut().zip(at.clone()).for_each(|(v, (own, kept))| *v = kept * own + (1.0 - kept) * *v);
            }
        }
    }
}

impl Pipeline {
    /// The bytes `[images, height, width, channels]` of points at the clean end; latents by the linear map.
    ///
    /// # Errors
    /// The device failed.
    pub async fn seen(&self, settings: &Settings, x: Tensor<4>) -> Result<Vec<u8>, SessionError> {
        let values = shown(self, settings, backend::read(x).await?).await?;
        Ok(picture::to_bytes(&values, self.picture_of(settings), self.card.range))
    }
}

/// Values of sample space as those of pictures: latents by the linear map.
///
/// # Errors
/// The device failed.
pub(super) async fn shown(
    pipeline: &Pipeline,
    settings: &Settings,
    values: Vec<f32>,
) -> Result<Vec<f32>, SessionError> {
    if !pipeline.is_latent() {
        return Ok(values);
    }
    Ok(preview(pipeline).await?.show(&values, pipeline.shape_of(settings)))
}

async fn preview(pipeline: &Pipeline) -> Result<&Preview, BackendError> {
    let Pipeline { preview, latents, device, .. } = pipeline;
    if preview.get().is_none() {
        let [channels, ..] = pipeline.shape();
        let fitted = Preview::fit(latents, channels, device).await?;
        // Another run may have been faster, to the same map.
        let _ = preview.set(fitted);
    }
    Ok(preview.get_or_init(|| unreachable!("it was set above")))
}

/// Whether a picture or a mask has as many values as it must.
fn has_values(values: Option<&[f32]>, expected: usize) -> Result<(), SessionError> {
    match values.map(<[f32]>::len).filter(|got| *got != expected) {
        Some(got) => Err(SessionError::Picture { got, expected }),
        None => Ok(()),
    }
}
