//! The pictures that a model learned from, and those that it never saw.

use crate::pictures::{self, PictureError};
use std::path::Path;
use unnoise::eval::quality::Album;

pub struct Dataset {
    pub train: Album,
    pub test: Album,
}

impl Dataset {
    /// Reads the four files of MNIST and its kin, with pictures of this `shape`, from the folder `dir`.
    pub fn read(dir: &Path, shape: [usize; 3]) -> Result<Self, PictureError> {
        let album = |part: &str| {
            let file = |kind: &str| dir.join(format!("{part}-{kind}-ubyte.gz"));
            pictures::album(&file("images-idx3"), &file("labels-idx1"), shape)
        };
        Ok(Self { train: album("train")?, test: album("t10k")? })
    }
}
