//! Steps shown where they were computed, without reading them back.

use super::{View, preview};
use crate::backend::{self, BackendError, Begun};
use crate::math::Level;
use burn::tensor::{Tensor, TensorData};

impl View<'_> {
    /// Begins to show a step, if that is wanted. Latents at the end of a run are decoded once they are read back, and shown by
    /// [`present_read`](Self::present_read).
    pub async fn present(
        &self,
        x: &Tensor<4>,
        denoised: Option<&Tensor<4>>,
        levels: &[Level],
        last: bool,
    ) -> Option<Begun<()>> {
        let present = self.present?;
        if last && self.pipeline.is_latent() {
            return Some(Begun::Here(Ok(())));
        }
        Some(match self.on_device(x, denoised, levels).await {
            Ok((x, denoised)) => Begun::of(present.present(x, denoised)).await,
            Err(e) => Begun::Here(Err(e)),
        })
    }

    /// Shows pictures that were read back.
    ///
    /// # Errors
    /// The device failed.
    pub async fn present_read(&self, x: &[f32], denoised: Option<&[f32]>) -> Result<(), BackendError> {
        let Some(present) = self.present else { return Ok(()) };
        let [channels, height, width] = self.picture_shape;
        let pictures = |values: &[f32]| -> Tensor<4> {
            let data = TensorData::new(values.to_vec(), [self.images, channels, height, width]);
            Tensor::from_data(data, &self.pipeline.device)
        };
        present.present(pictures(x), denoised.map(pictures)).await
    }

    /// What is seen of a step, as [`show`](Self::show) makes it of what is read back.
    async fn on_device(
        &self,
        x: &Tensor<4>,
        denoised: Option<&Tensor<4>>,
        levels: &[Level],
    ) -> Result<(Tensor<4>, Option<Tensor<4>>), BackendError> {
        let x = x.clone() / self.deviations(levels);
        if !self.pipeline.is_latent() {
            return Ok((x, denoised.cloned()));
        }
        let x = self.pictures_on_device(x, self.points).await?;
        let denoised = match denoised {
            Some(denoised) => Some(self.pictures_on_device(denoised.clone(), self.estimates).await?),
            None => None,
        };
        Ok((x, denoised.map(|denoised| self.keep_on_device(denoised))))
    }

    /// The pictures of latents, decoded or by the linear map.
    async fn pictures_on_device(&self, latents: Tensor<4>, decoded: bool) -> Result<Tensor<4>, BackendError> {
        match decoded {
            true => Ok(Tensor::cat(self.pipeline.latents.decode_parts(&latents), 0)),
            false => Ok(preview(self.pipeline).await?.show_on_device(latents)),
        }
    }

    fn keep_on_device(&self, pictures: Tensor<4>) -> Tensor<4> {
        let Some((picture, kept)) = self.picture.zip(self.kept) else { return pictures };
        let [own, kept] = [picture, kept].map(|values| backend::spread(values, pictures.dims(), &self.pipeline.device));
        pictures.clone() + kept * (own - pictures)
    }
}
