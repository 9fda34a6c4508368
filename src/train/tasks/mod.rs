//! What networks are trained to do, with the data that they are trained on.

mod autoencode;
mod captioned;
mod contrast;
mod distil;
mod guidance;
mod labelled;
mod scenery;

pub use autoencode::Autoencode;
pub use captioned::{Captioned, TextDenoiser};
pub use contrast::Contrast;
pub use distil::{Distil, blended};
pub use guidance::Guidance;
pub use labelled::{Classify, Denoise, Denoiser, Labelled};
pub use scenery::Scenery;

use super::trainer::Loss;
use crate::backend::BackendError;
use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

/// Something to train a network for. What a step sees is a function of the recipe's seed and of the step alone.
pub trait Task {
    type Net: Module;
    /// What of the network is kept when it is trained.
    type Kept: Module;
    /// What a step sees.
    type Batch;

    /// Whether it tells pictures of one class from those of another.
    const CLASSIFIES: bool = false;

    fn batch(&mut self, step: usize) -> Self::Batch;

    fn loss(&self, net: &Self::Net, batch: &Self::Batch) -> Loss;

    /// What held-out pictures say of a network off the autodiff device, where some are held out; `most` bounds the number of those
    /// that are classified.
    fn measure(&self, net: &Self::Net, most: Option<usize>) -> Result<Option<Measured>, BackendError>;

    fn kept(net: &Self::Net) -> &Self::Kept;
}

/// What held-out pictures say.
pub struct Measured {
    pub loss: f64,
    pub accuracy: Option<f64>,
}

/// The mean cross entropy of rows of `logits`, `[rows, classes]`, whose classes are `labels`: `[1]`.
fn cross_entropy(logits: Tensor<2>, labels: &[usize]) -> Tensor<1> {
    let labels: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
    let rows = labels.len();
    let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [rows, 1]), &logits.device());
    log_softmax(logits, 1).gather(1, labels).mean().neg()
}
