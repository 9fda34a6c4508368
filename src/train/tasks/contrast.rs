//! To tell which caption belongs to which picture.

use super::{Measured, Scenery, Task, cross_entropy};
use crate::backend::BackendError;
use crate::models::judge::Judge;
use crate::pipeline::text::Tokenizer;
use crate::train::trainer::Loss;
use burn::tensor::Tensor;

/// Contrastive learning of pictures and captions (Radford et al. 2021, arXiv 2103.00020, section 2.3). A caption is chosen among those of the
/// batch and as many that are each untrue of a scene in it, a picture among those of the batch.
pub struct Contrast {
    pub scenery: Scenery,
    pub tokenizer: Tokenizer,
}

/// Pictures, and their captions followed by the untrue ones.
pub struct Pairs {
    x: Tensor<4>,
    ids: Vec<Vec<u32>>,
}

impl Task for Contrast {
    type Net = Judge;
    type Kept = Judge;
    type Batch = Pairs;

    fn batch(&mut self, step: usize) -> Pairs {
        let (scenes, wrong) = self.scenery.scenes_and_wrong(step);
        let x = self.scenery.pictures(&scenes);
        let captions = scenes.iter().map(|scene| &scene.caption).chain(&wrong);
        Pairs { x, ids: captions.map(|caption| self.tokenizer.encode_padded(caption).ids).collect() }
    }

    fn loss(&self, net: &Judge, Pairs { x, ids }: &Pairs) -> Loss {
        let (pictures, captions) = (net.pictures(x.clone()), net.captions(ids));
        let right: Vec<usize> = (0..pictures.dims()[0]).collect();
        let similarity = pictures.matmul(captions.transpose()) * net.scale().unsqueeze::<2>();
        let of_true = similarity.clone().narrow(1, 0, right.len()).transpose();
        let loss = (cross_entropy(similarity, &right) + cross_entropy(of_true, &right)) / 2.0;
        Loss { descended: loss.clone(), reported: loss }
    }

    fn measure(&self, _: &Judge, _: Option<usize>) -> Result<Option<Measured>, BackendError> {
        Ok(None)
    }

    fn kept(net: &Judge) -> &Judge {
        net
    }
}
