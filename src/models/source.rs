//! Where the files of a model come from.

use super::folder::FolderError;
use super::weights::{Answer, Ranges, WeightFiles};
use std::collections::BTreeMap;

/// A folder: on disk, picked in a page, on a server or in a cache. Paths have `/` between folders.
pub trait Source: Sized {
    /// The paths of its files, hidden ones left out.
    fn list(&self) -> impl Future<Output = Result<Vec<String>, FolderError>>;

    /// The bytes of the file at `path`.
    fn read(&self, path: &str) -> impl Future<Output = Result<Vec<u8>, FolderError>>;

    /// How many bytes the file at `path` has, if that is known before it is read.
    fn size(&self, path: &str) -> impl Future<Output = Result<Option<u64>, FolderError>>;

    /// Fills `into` with the bytes of the file at `path` from `from` on. Large files are read forward in this way.
    fn range(&self, path: &str, from: u64, into: &mut [u8]) -> impl Future<Output = Result<(), FolderError>>;

    /// The folder `name` beside this one, of another model whose parts this one shares.
    fn beside(&self, name: &str) -> Self;
}

impl<'a> WeightFiles<'a> {
    /// The files at `paths` of a source.
    ///
    /// # Errors
    /// One of them is not there.
    pub async fn of<S: Source>(source: &'a S, paths: Vec<String>) -> Result<Self, FolderError> {
        let mut files = Vec::new();
        for path in &paths {
            files.push((path.clone(), source.size(path).await?));
        }
        Ok(Self::new(Paths { source, paths }, files))
    }
}

/// Some files of a source.
struct Paths<'a, S> {
    source: &'a S,
    paths: Vec<String>,
}

impl<S: Source> Ranges for Paths<'_, S> {
    fn read<'a>(&'a self, file: usize, from: u64, into: &'a mut [u8]) -> Answer<'a> {
        Box::pin(self.source.range(&self.paths[file], from, into))
    }
}

#[cfg(not(target_family = "wasm"))]
impl Source for super::folder::Directory {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        Self::list(self)
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        Self::read(self, path)
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FolderError> {
        Self::size(self, path).map(Some)
    }

    async fn range(&self, path: &str, from: u64, into: &mut [u8]) -> Result<(), FolderError> {
        Self::range(self, path, from, into)
    }

    fn beside(&self, name: &str) -> Self {
        // Of a path that ends in `.` or `..` only the full form says what it is beside.
        let full = self.0.canonicalize().unwrap_or_else(|_| self.0.clone());
        Self(full.with_file_name(name))
    }
}

/// Files in memory, by their paths.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Memory {
    fn file(&self, path: &str) -> Result<&[u8], FolderError> {
        let missing = || FolderError::Unreadable { path: path.to_owned(), why: "it is not there".to_owned() };
        self.0.get(path).map(Vec::as_slice).ok_or_else(missing)
    }
}

impl Source for Memory {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        Ok(self.0.keys().cloned().collect())
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        self.file(path).map(<[u8]>::to_vec)
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FolderError> {
        Ok(Some(self.file(path)?.len() as u64))
    }

    async fn range(&self, path: &str, from: u64, into: &mut [u8]) -> Result<(), FolderError> {
        vec![self.file(path)?].read(0, from, into).await
    }

    /// Memory holds one folder.
    fn beside(&self, _name: &str) -> Self {
        Self::default()
    }
}
