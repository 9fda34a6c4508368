//! Sizes and speeds as Markdown tables.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use crate::backend::Backend;
use crate::{compress, wasm};

/// Prints the tables.
pub fn bench() -> Result<()> {
    wasm::build(&Backend::ALL)?;
    print!("{}", sizes().context("could not read the sizes of the engines")?);
    Ok(())
}

/// What a visitor downloads.
fn sizes() -> io::Result<String> {
    let mut table = String::from("| engine | raw MB | gzip MB | brotli MB |\n|---|---:|---:|---:|\n");
    for backend in Backend::ALL {
        let [br, gz] = compress::compressed(&backend.binary());
        let [raw, gz, br] = [&backend.binary(), &gz, &br].map(|path| megabytes(path));
        table += &format!("| {} | {:.2} | {:.2} | {:.2} |\n", backend.name(), raw?, gz?, br?);
    }
    Ok(table)
}

fn megabytes(path: &Path) -> io::Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / 1e6)
}
