//! The IDX files of MNIST and its kin.

use super::{DataError, Pictures, broken, open, unreadable};
use flate2::read::GzDecoder;
use std::io::{BufRead, Read};
use std::path::Path;

/// An IDX file of unsigned bytes (yann.lecun.com/exdb/mnist), row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

const WHAT: &str = "an IDX file of bytes";
const GZIP: &[u8] = &[0x1f, 0x8b];

impl Idx {
    /// Reads a file, gzipped or not, of which no more than the first `most` entries are taken.
    ///
    /// # Errors
    /// A file that is missing, of another kind or cut short.
    pub fn read(path: &Path, most: usize) -> Result<Self, DataError> {
        let mut file = open(path)?;
        if file.fill_buf().map_err(unreadable(path))?.starts_with(GZIP) {
            Self::of(path, GzDecoder::new(file), most)
        } else {
            Self::of(path, file, most)
        }
    }

    /// Two zeros, 8 for bytes, the number of dimensions; each of them big-endian; then the bytes.
    fn of(path: &Path, mut file: impl Read, most: usize) -> Result<Self, DataError> {
        let mut number = || {
            let mut number = [0; 4];
            file.read_exact(&mut number).map(|()| number).map_err(unreadable(path))
        };
        let [0, 0, 8, dimensions] = number()? else {
            return Err(broken(path, WHAT)("it begins otherwise"));
        };
        let mut shape =
            (0..dimensions).map(|_| number().map(|n| u32::from_be_bytes(n) as usize)).collect::<Result<Vec<_>, _>>()?;
        if let Some(entries) = shape.first_mut() {
            *entries = most.min(*entries);
        }
        let size = shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n)).filter(|&size| size <= 1 << 34);
        let Some(size) = size else {
            return Err(broken(path, WHAT)(format!("it promises {shape:?} bytes")));
        };
        let mut bytes = Vec::new();
        file.take(size as u64).read_to_end(&mut bytes).map_err(unreadable(path))?;
        if bytes.len() < size {
            return Err(broken(path, WHAT)(format!("it promises {shape:?} bytes and is cut short")));
        }
        Ok(Self { shape, bytes })
    }
}

/// The grey pictures of one IDX file with the labels of another.
///
/// # Errors
/// As [`Idx::read`], and files that do not belong together.
pub fn idx(images: &Path, labels: &Path) -> Result<Pictures, DataError> {
    let (pictures, names) = (Idx::read(images, usize::MAX)?, Idx::read(labels, usize::MAX)?);
    let &[count, height, width] = pictures.shape.as_slice() else {
        return Err(broken(images, "a list of pictures")(format!("its shape is {:?}", pictures.shape)));
    };
    let &[labelled] = names.shape.as_slice() else {
        return Err(broken(labels, "a list of labels")(format!("its shape is {:?}", names.shape)));
    };
    if labelled != count {
        return Err(DataError::Count { path: images.to_owned(), pictures: count, labels: labelled });
    }
    Ok(Pictures::of_bytes([1, height, width], pictures.bytes, names.bytes.into_iter().map(usize::from).collect()))
}
