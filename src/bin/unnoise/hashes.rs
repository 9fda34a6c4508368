//! SHA-256 of weights, which a saved picture says.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Of each file of weights in a model's folder and the folders in it, by its place there.
pub fn of_weights(folder: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let inside = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let (folders, mut files): (Vec<_>, Vec<_>) = inside.partition(|path| path.is_dir());
    for folder in folders {
        files.extend(fs::read_dir(folder)?.flatten().map(|entry| entry.path()));
    }
    for path in
        files.into_iter().filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "safetensors"))
    {
        let mut sum = Sha256::new();
        io::copy(&mut File::open(&path)?, &mut sum)?;
        let place = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        all.insert(place, format!("{:x}", sum.finalize()));
    }
    Ok(all)
}
