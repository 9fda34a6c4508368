//! `.br` and `.gz` beside each file of an engine, for servers that hand out what was compressed beforehand.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, GzBuilder};

use crate::module::Module;

/// Compresses the engines that are there and have not been compressed since they were made.
pub fn compress() -> Result<()> {
    for module in Module::ALL.into_iter().filter(|module| module.script().exists()) {
        for path in [module.binary(), module.script()] {
            let [br, gz] = compressed(&path);
            write_once(&path, &br, brotli).with_context(|| format!("could not write {}", br.display()))?;
            write_once(&path, &gz, gzip).with_context(|| format!("could not write {}", gz.display()))?;
        }
    }
    Ok(())
}

/// The compressed forms of a file: Brotli, then gzip.
pub fn compressed(path: &Path) -> [PathBuf; 2] {
    ["br", "gz"].map(|ending| path.with_added_extension(ending))
}

/// Writes `target` unless it is there. It gets its name when it is whole, so that nobody is served a part of it.
fn write_once(source: &Path, target: &Path, encode: fn(&[u8], File) -> io::Result<()>) -> io::Result<()> {
    if target.exists() {
        return Ok(());
    }
    let part = target.with_added_extension("part");
    encode(&fs::read(source)?, File::create(&part)?)?;
    fs::rename(part, target)
}

fn brotli(mut bytes: &[u8], mut file: File) -> io::Result<()> {
    // The largest window that browsers accept.
    let params = BrotliEncoderParams { quality: 11, lgwin: 24, size_hint: bytes.len(), ..Default::default() };
    brotli::BrotliCompress(&mut bytes, &mut file, &params).map(drop)
}

fn gzip(bytes: &[u8], file: File) -> io::Result<()> {
    let mut encoder = GzBuilder::new().write(file, Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish().map(drop)
}
