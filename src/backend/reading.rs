//! Read-backs that are submitted before they are waited for.

use super::{BackendError, read};
use burn::tensor::Tensor;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A read-back from a device.
pub enum Reading {
    Here(Result<Vec<f32>, BackendError>),
    Coming(Pin<Box<dyn Future<Output = Result<Vec<f32>, BackendError>>>>),
}

/// Begins to [`read`] `tensor`: its computation and the copy are submitted now, ahead of whatever is computed next.
pub async fn begin<const D: usize>(tensor: Tensor<D>) -> Reading {
    let mut values = Box::pin(read(tensor));
    match poll_fn(|context| Poll::Ready(values.as_mut().poll(context))).await {
        Poll::Ready(values) => Reading::Here(values),
        Poll::Pending => Reading::Coming(values),
    }
}

impl Reading {
    /// The values, row-major.
    ///
    /// # Errors
    /// As [`read`].
    pub async fn values(self) -> Result<Vec<f32>, BackendError> {
        match self {
            Self::Here(values) => values,
            Self::Coming(values) => values.await,
        }
    }
}
