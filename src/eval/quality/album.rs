//! Pictures with their classes.

use super::Points;
use crate::picture;

/// Pictures of 256 levels a channel, as files have them and as samples are compared with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Album {
    /// `[images, height, width, channels]`.
    pub bytes: Vec<u8>,
    /// The class of each picture: the one it has, or the one it was sampled with. Empty where there are no classes.
    pub labels: Vec<usize>,
    /// Channels, height and width of a picture.
    pub shape: [usize; 3],
}

impl Album {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.size()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The first `n` pictures, or all if they are fewer.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        let bytes = self.bytes.iter().take(n * self.size()).copied().collect();
        Self { bytes, labels: self.labels.iter().take(n).copied().collect(), shape: self.shape }
    }

    /// Sets of `n` pictures each, one after the other; all pictures in one set if they are fewer.
    pub fn sets(&self, n: usize) -> Vec<Self> {
        let n = n.min(self.len());
        let part = |from: usize| Self {
            bytes: self.bytes[from * self.size()..][..n * self.size()].to_vec(),
            labels: self.labels.iter().skip(from).take(n).copied().collect(),
            shape: self.shape,
        };
        (0..self.len() / n.max(1)).map(|set| part(set * n)).collect()
    }

    /// The bytes of picture `i`.
    pub fn picture(&self, i: usize) -> &[u8] {
        &self.bytes[i * self.size()..(i + 1) * self.size()]
    }

    /// Each picture as a point, its bytes as coordinates.
    pub fn pixels(&self) -> Points {
        Points::new(self.bytes.iter().map(|b| f32::from(*b)).collect(), self.size())
    }

    /// The values of pictures `from..to` in -1 to 1, `[images, channels, height, width]`.
    pub(super) fn values(&self, from: usize, to: usize) -> Vec<f32> {
        picture::from_bytes(&self.bytes[from * self.size()..to * self.size()], self.shape, [-1.0, 1.0])
    }

    /// Bytes of one picture.
    fn size(&self) -> usize {
        self.shape.iter().product()
    }
}
