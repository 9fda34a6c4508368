//! Work of a device that is submitted before it is waited for.

use super::{BackendError, read};
use burn::tensor::Tensor;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Work of a device, which submits what it waits for when it is first polled if not before.
pub type Work<T> = Pin<Box<dyn Future<Output = Result<T, BackendError>>>>;

/// Work that has been submitted.
pub enum Begun<T> {
    Here(Result<T, BackendError>),
    Coming(Work<T>),
}

/// A read-back from a device.
pub type Reading = Begun<Vec<f32>>;

/// Begins to [`read`] `tensor`: its computation and the copy are submitted now, ahead of whatever is computed next.
pub async fn begin<const D: usize>(tensor: Tensor<D>) -> Reading {
    Begun::of(Box::pin(read(tensor))).await
}

impl<T> Begun<T> {
    /// Begins `work`.
    pub async fn of(mut work: Work<T>) -> Self {
        match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            Poll::Ready(done) => Self::Here(done),
            Poll::Pending => Self::Coming(work),
        }
    }

    /// Waits for it: the values of a reading, row-major.
    ///
    /// # Errors
    /// As [`read`].
    pub async fn done(self) -> Result<T, BackendError> {
        match self {
            Self::Here(done) => done,
            Self::Coming(work) => work.await,
        }
    }
}
