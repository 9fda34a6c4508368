//! The pictures that a model learned from, and those that it never saw.

use super::Album;
use crate::dataset::{Data, DataError, Pictures, Split};
use crate::picture;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A data set, to compare samples with.
#[derive(Clone, Debug)]
pub struct Albums {
    pub train: Album,
    pub test: Album,
}

/// Why there is nothing to compare samples with.
#[derive(Debug, Error)]
pub enum AlbumError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("The data set of {} has no test pictures; choose a classifier whose recipe names some.", .0.display())]
    NoTest(PathBuf),
    #[error(
        "{} has pictures of {}, but the model makes {}", .path.display(), picture::size(*.got), picture::size(*.expected)
    )]
    Shape { path: PathBuf, expected: [usize; 3], got: [usize; 3] },
}

impl Albums {
    /// Reads from the folder `dir` the data set that the recipe in the folder of a `classifier` names, with pictures of this
    /// `shape`.
    ///
    /// # Errors
    /// A recipe or data that cannot be read, or are of another kind.
    pub fn read(dir: &Path, classifier: &Path, shape: [usize; 3]) -> Result<Self, AlbumError> {
        let recipe = classifier.join("recipe.toml");
        let Split { seen, held } = Data::of_recipe(&recipe)?.read(dir)?;
        let held = held.ok_or(AlbumError::NoTest(recipe))?;
        if seen.shape != shape {
            return Err(AlbumError::Shape { path: dir.to_owned(), expected: shape, got: seen.shape });
        }
        Ok(Self { train: album(&seen), test: album(&held) })
    }
}

/// Each picture once, in an order that mixes what the files keep apart: in strides of about a golden section.
fn album(pictures: &Pictures) -> Album {
    let n = pictures.len();
    let golden = (0.618 * n as f64) as usize;
    let stride = (golden..n).find(|&stride| coprime(stride, n)).unwrap_or(1);
    let (mut bytes, mut labels, mut met) = (Vec::new(), Vec::new(), HashSet::new());
    for i in (0..n).map(|i| i * stride % n) {
        let picture = picture::to_bytes(&pictures.x0(i), pictures.shape, [-1.0, 1.0]);
        if met.insert(picture.clone()) {
            bytes.extend(picture);
            labels.push(pictures.labels[i]);
        }
    }
    Album { bytes, labels, shape: pictures.shape }
}

fn coprime(a: usize, b: usize) -> bool {
    if b == 0 { a == 1 } else { coprime(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_album_has_each_picture_once_and_mixes_the_classes() {
        let bytes: Vec<u8> = (0..20).map(|i| i * 12).chain([0, 12]).collect();
        let labels = (0..20).map(|i| i / 10).chain([0, 0]).collect();
        let Album { bytes, labels, .. } = album(&Pictures::of_bytes([1, 1, 1], bytes, labels));
        assert_eq!(bytes.iter().collect::<HashSet<_>>().len(), 20);
        assert_eq!((bytes.len(), labels.len()), (20, 20));
        for (byte, label) in bytes.iter().zip(&labels) {
            assert_eq!(*label, usize::from(byte / 120));
        }
        let first_half = labels[..10].iter().sum::<usize>();
        assert!((3..=7).contains(&first_half), "the first ten are {labels:?}");
    }

    #[test]
    fn no_pictures_are_an_album_of_none() {
        assert!(album(&Pictures::of_bytes([1, 1, 1], Vec::new(), Vec::new())).is_empty());
    }
}
