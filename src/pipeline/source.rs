//! Where the files of a pipeline come from.

use crate::models::folder::FolderError;

/// A folder: on disk, picked in a page, on a server or in a cache. Paths have `/` between folders.
pub trait Source {
    /// The paths of its files.
    fn list(&self) -> impl Future<Output = Result<Vec<String>, FolderError>>;

    /// The bytes of the file at `path`.
    fn read(&self, path: &str) -> impl Future<Output = Result<Vec<u8>, FolderError>>;
}

#[cfg(not(target_family = "wasm"))]
impl Source for crate::models::folder::Directory<'_> {
    async fn list(&self) -> Result<Vec<String>, FolderError> {
        Self::list(self)
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        Self::read(self, path)
    }
}
