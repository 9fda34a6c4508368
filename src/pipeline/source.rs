//! Where the files of a pipeline come from.

use crate::models::folder::FolderError;
use std::collections::BTreeMap;

/// A folder: on disk, picked in a page, on a server or in a cache. Paths have `/` between folders.
pub trait Source: Sized {
    /// The paths of its files, hidden ones left out.
    fn list(&self) -> impl Future<Output = Result<Vec<String>, FolderError>>;

    /// The bytes of the file at `path`.
    fn read(&self, path: &str) -> impl Future<Output = Result<Vec<u8>, FolderError>>;

    /// The folder `name` beside this one, of another model whose parts this one shares.
    fn beside(&self, name: &str) -> Self;
}

#[cfg(not(target_family = "wasm"))]
impl Source for crate::models::folder::Directory {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        Self::list(self)
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        Self::read(self, path)
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

impl Source for Memory {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        Ok(self.0.keys().cloned().collect())
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        let missing = || FolderError::Unreadable { path: path.to_owned(), why: "it is not there".to_owned() };
        self.0.get(path).cloned().ok_or_else(missing)
    }

    /// Memory holds one folder.
    fn beside(&self, _name: &str) -> Self {
        Self::default()
    }
}
