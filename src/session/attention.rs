//! Where a run looks in its prompt.

use super::SessionError;
use super::frame::Attention;
use crate::backend::{self, Reading};
use crate::nn::AttentionMaps;
use burn::tensor::Tensor;
use std::cell::RefCell;

/// Most places of a map on each side: a layer that sees more is averaged, which is all that a heat layer shows.
const MOST: usize = 32;

/// The maps of the parts of a batch.
pub(super) struct Looks {
    maps: Vec<AttentionMaps>,
    /// What each part looked at last: one that is at its end looks no more.
    last: RefCell<Vec<Option<Tensor<4>>>>,
}

impl Looks {
    /// Of so many parts, whose sample space has this height and width.
    pub fn new(parts: usize, [height, width]: [usize; 2]) -> Self {
        let by = height.max(width).div_ceil(MOST);
        let size = [height, width].map(|side| side.div_ceil(by));
        Self { maps: (0..parts).map(|_| AttentionMaps::new(size)).collect(), last: RefCell::new(vec![None; parts]) }
    }

    /// What records a part.
    pub fn part(&self, i: usize) -> &AttentionMaps {
        &self.maps[i]
    }

    /// The maps of the step that was taken last, `[images, tokens, height, width]`; `None` where no part of the run has looked at a
    /// prompt yet.
    pub fn take(&self) -> Option<Tensor<4>> {
        let mut last = self.last.borrow().clone();
        for (last, maps) in last.iter_mut().zip(&self.maps) {
            *last = maps.take().or(last.take());
        }
        self.last.replace(last.clone());
        let parts = last.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Tensor::cat(parts, 0).permute([0, 3, 1, 2]))
    }
}

/// The maps of a step, on their way from the device.
pub(super) struct Maps {
    values: Reading,
    tokens: usize,
    height: usize,
    width: usize,
}

impl Maps {
    /// Begins to read them.
    pub async fn begin(maps: Tensor<4>) -> Self {
        let [_, tokens, height, width] = maps.dims();
        Self { values: backend::begin(maps).await, tokens, height, width }
    }

    /// # Errors
    /// The device failed.
    pub async fn read(self) -> Result<Attention, SessionError> {
        let Self { values, tokens, height, width } = self;
        Ok(Attention { maps: values.done().await?, tokens, height, width })
    }
}
