//! Floor 3: labelled pictures as data sets keep them on disk.

mod data;
mod emoji;
mod idx;
mod npz;
mod pairs;
pub mod pictures;
pub mod scenes;

pub use data::{Data, EmojiFiles, IdxFiles, PairsFile};
pub use emoji::emoji;
pub use idx::{Idx, idx};
pub use pairs::pairs;

use crate::math::TorchGenerator;
use crate::words::count;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there are no pictures.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("cannot read {} ({source}); --data names the folder that holds it", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not {expected}: {why}", .path.display())]
    Broken { path: PathBuf, expected: &'static str, why: String },
    #[error("{} holds {}, but there are {}", .path.display(), count(*.pictures, "picture"), count(*.labels, "label"))]
    Count { path: PathBuf, pictures: usize, labels: usize },
}

/// Pictures of one shape with a label each.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// Channels, height and width.
    pub shape: [usize; 3],
    pub labels: Vec<usize>,
    /// Where given, each picture belongs to the noise of torch's generator with this seed, and to no other.
    pub seeds: Option<Vec<u64>>,
    values: Values,
}

/// Row-major, picture after picture, channels first.
#[derive(Clone, Debug)]
enum Values {
    /// 0 to 255, of which 127.5 is the middle.
    Bytes(Vec<u8>),
    /// In `[-1, 1]`.
    Floats(Vec<f32>),
}

/// What to train on, and what was held out of it where the data set says so.
#[derive(Clone, Debug)]
pub struct Split {
    pub seen: Pictures,
    pub held: Option<Pictures>,
}

impl Pictures {
    /// `bytes` are as many pictures as there are labels, channels first.
    pub fn of_bytes(shape: [usize; 3], bytes: Vec<u8>, labels: Vec<usize>) -> Self {
        Self { shape, labels, seeds: None, values: Values::Bytes(bytes) }
    }

    /// `floats` in `[-1, 1]` are as many pictures as there are labels, channels first.
    pub fn of_floats(shape: [usize; 3], floats: Vec<f32>, labels: Vec<usize>) -> Self {
        Self { shape, labels, seeds: None, values: Values::Floats(floats) }
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Picture `i`, which there is, in `[-1, 1]`.
    pub fn x0(&self, i: usize) -> Vec<f32> {
        let size: usize = self.shape.iter().product();
        let place = i * size..(i + 1) * size;
        match &self.values {
            Values::Bytes(bytes) => bytes[place].iter().map(|&b| f32::from(b) / 127.5 - 1.0).collect(),
            Values::Floats(floats) => floats[place].to_vec(),
        }
    }

    /// The noise that picture `i` belongs to, where it belongs to one.
    pub fn noise(&self, i: usize) -> Option<Vec<f32>> {
        let seed = self.seeds.as_ref()?[i];
        Some(TorchGenerator::new(seed).randn(self.shape.iter().product()))
    }

    /// The pictures at `places`, in that order; one may stand there often.
    pub fn pick(&self, places: &[usize]) -> Self {
        let size: usize = self.shape.iter().product();
        fn rows<T: Copy>(all: &[T], places: &[usize], size: usize) -> Vec<T> {
            places.iter().flat_map(|&i| &all[i * size..(i + 1) * size]).copied().collect()
        }
        Self {
            shape: self.shape,
            labels: rows(&self.labels, places, 1),
            seeds: self.seeds.as_ref().map(|seeds| rows(seeds, places, 1)),
            values: match &self.values {
                Values::Bytes(bytes) => Values::Bytes(rows(bytes, places, size)),
                Values::Floats(floats) => Values::Floats(rows(floats, places, size)),
            },
        }
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> DataError + use<'_> {
    move |source| DataError::Unreadable { path: path.to_owned(), source }
}

fn broken<'a, E: ToString>(path: &'a Path, expected: &'static str) -> impl Fn(E) -> DataError + use<'a, E> {
    move |why| DataError::Broken { path: path.to_owned(), expected, why: why.to_string() }
}

fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    File::open(path).map(BufReader::new).map_err(unreadable(path))
}
