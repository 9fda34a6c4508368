//! Samplers compared on the pictures of a network.

use super::{CompareError, Comparison, News};
use crate::backend::{self, ImageNoise};
use crate::eval::convergence::{Reading, Task};
use crate::math::noise::BrownianPath;
use crate::math::{Latent, Noise};
use crate::pipeline::Pipeline;
use crate::session;
use crate::settings::Settings;
use async_stream::try_stream;
use burn::tensor::Tensor;
use futures_util::{Stream, StreamExt};
use std::pin::pin;

impl Comparison {
    /// On the pictures of a network that `settings` want, with their classes, prompt, guidance and clipping. The distance is the largest
    /// of any picture; infinite where a value is NaN.
    ///
    /// # Errors
    /// As [`race`](Self::race), and settings that do not fit the model.
    pub fn of_model<'a>(
        &'a self,
        model: &'a Pipeline,
        settings: &'a Settings,
    ) -> impl Stream<Item = Result<News<Tensor<4>>, CompareError>> + 'a {
        try_stream! {
            let (settings, _) = Self::without(settings);
            let network = session::network(model, &settings)?;
            let [channels, height, width] = model.shape_of(&settings);
            let zeros = Tensor::zeros([settings.images, channels, height, width], &model.device);
            let z = ImageNoise::new(self.seed, settings.images).normal(&zeros);
            let noise = || Box::new(BrownianPath::new(self.seed.into())) as Box<dyn Noise<Tensor<4>>>;
            let rms = |x: Tensor<4>| Box::pin(async move {
                let each = backend::read(x.rms().max_dims(&[1, 2, 3])).await?;
                let largest = each.into_iter().reduce(|a, b| if a.total_cmp(&b).is_gt() { a } else { b });
                Ok(largest.filter(|rms| !rms.is_nan()).map_or(f64::INFINITY, f64::from))
            }) as Reading<'_>;
            let (schedule, spacing) = (&model.schedule, self.spacing.clone());
            let task = Task { schedule, spacing, model: &*network, z, noise: &noise, rms: &rms };
            let mut news = pin!(self.race(&task));
            while let Some(news) = news.next().await {
                yield news?;
            }
        }
    }
}
