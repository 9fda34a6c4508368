//! Where the bytes of weights are.

use super::WeightsError;
use super::header::{self, Entry, LENGTH, LONGEST};
use crate::models::folder::FolderError;
use std::pin::Pin;

/// What a file is asked for, once it is there.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), FolderError>> + 'a>>;

/// Files of which parts can be read. They are read forward, one after the other.
pub trait Ranges {
    /// Fills `into` with the bytes of file number `file` from `from` on.
    fn read<'a>(&'a self, file: usize, from: u64, into: &'a mut [u8]) -> Answer<'a>;
}

/// A safetensors file, or all its shards.
pub struct WeightFiles<'a> {
    pub(super) reader: Box<dyn Ranges + 'a>,
    /// What each is called, and how long it is if that is known.
    pub(super) files: Vec<(String, Option<u64>)>,
}

impl<'a> WeightFiles<'a> {
    /// The files of `reader`: what each is called, and how many bytes it has where that is known.
    pub fn new(reader: impl Ranges + 'a, files: Vec<(String, Option<u64>)>) -> Self {
        Self { reader: Box::new(reader), files }
    }

    /// The bytes of each file.
    pub fn in_memory(parts: &'a [impl AsRef<[u8]>]) -> Self {
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        let files = parts.iter().map(|bytes| ("in memory".to_owned(), Some(bytes.len() as u64))).collect();
        Self::new(parts, files)
    }

    /// The tensors of a file.
    pub(super) async fn header(&self, file: usize) -> Result<Vec<Entry>, WeightsError> {
        let (name, size) = &self.files[file];
        let unreadable = |why: String| WeightsError::Unreadable { file: name.clone(), why };
        let mut start = [0; LENGTH];
        let there = size.map_or(LENGTH, |size| size.min(LENGTH as u64) as usize);
        self.reader.read(file, 0, &mut start[..there]).await?;
        if let Some(error) = other_format(&start, name) {
            return Err(error);
        }
        if there < LENGTH {
            return Err(unreadable("it is too short".to_owned()));
        }
        let length = u64::from_le_bytes(start);
        if length > LONGEST {
            return Err(unreadable("it does not begin with the length of a header".to_owned()));
        }
        let short = |size: u64, needed: u64| unreadable(format!("it has only {size} bytes of {needed} or more"));
        if let Some(size) = size.filter(|size| *size < LENGTH as u64 + length) {
            return Err(short(size, LENGTH as u64 + length));
        }
        let mut text = vec![0; length as usize];
        self.reader.read(file, LENGTH as u64, &mut text).await?;
        let entries = header::parse(&text).map_err(unreadable)?;
        let end = entries.last().map_or(LENGTH as u64 + length, |entry| entry.range.end);
        match *size {
            Some(size) if size < end => Err(short(size, end)),
            Some(size) if size > end => Err(unreadable(format!("it has {} bytes too many", size - end))),
            _ => Ok(entries),
        }
    }
}

/// How a Git LFS pointer begins, which stands in a clone for a file that was not fetched.
const POINTER: &[u8] = b"version ";

/// How files of PyTorch begin: an archive, and pickles of the protocols that it has used.
const PICKLES: [&[u8]; 3] = [b"PK\x03\x04", b"\x80\x02", b"\x80\x04"];

/// The refusal of a file in another format, by its first bytes.
fn other_format(start: &[u8], file: &str) -> Option<WeightsError> {
    let file = file.to_owned();
    if start.starts_with(POINTER) {
        return Some(WeightsError::Pointer { file });
    }
    if start.starts_with(b"GGUF") {
        return Some(WeightsError::Gguf { file });
    }
    PICKLES.iter().any(|pickle| start.starts_with(pickle)).then_some(WeightsError::Pickle { file })
}

impl Ranges for Vec<&[u8]> {
    fn read<'a>(&'a self, file: usize, from: u64, into: &'a mut [u8]) -> Answer<'a> {
        let found = usize::try_from(from).ok().and_then(|from| self[file].get(from..)?.get(..into.len()));
        let answer = match found {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(FolderError::Short { path: "in memory".to_owned() }),
        };
        Box::pin(std::future::ready(answer))
    }
}
