//! From the library to `pkg/`: cargo compiles it once an engine, and wasm-bindgen writes the JavaScript around it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::backend::Backend;
use crate::{compress, files, root, tools};

/// What an engine is made from. An engine that is older than any of it is out of date.
const SOURCES: [&str; 5] = ["src", "Cargo.toml", "Cargo.lock", ".cargo", "xtask/src"];

/// Brings these engines up to date.
pub fn build(backends: &[Backend]) -> Result<()> {
    let stale = discard_stale()?;
    backends.iter().filter(|backend| stale.contains(backend)).try_for_each(|&backend| make(backend))?;
    compress::compress()
}

/// Brings these engines up to date, but comes back as soon as the page can run on one of them: the rest is made behind
/// it, because the WebGPU engine takes many minutes when its libraries have never been compiled.
pub fn build_for_visitors(mut backends: Vec<Backend>) -> Result<()> {
    let stale = discard_stale()?;
    backends.retain(|backend| stale.contains(backend));
    backends.sort_by_key(|&backend| backend != Backend::Cpu);
    if stale.len() == Backend::ALL.len() && !backends.is_empty() {
        make(backends.remove(0))?;
    }
    for backend in &backends {
        println!("The {} engine is being built; until then the page runs without it.", backend.name());
    }
    thread::spawn(move || {
        for backend in backends {
            match make(backend) {
                Ok(()) => println!("The {} engine is ready: reload the page.", backend.name()),
                Err(error) => eprintln!("error: the {} engine could not be built: {error:#}", backend.name()),
            }
        }
        if let Err(error) = compress::compress() {
            eprintln!("error: the engines could not be compressed: {error:#}");
        }
    });
    Ok(())
}

/// Removes the engines that are out of date, so that nobody is served one, and says which they are.
fn discard_stale() -> Result<Vec<Backend>> {
    let mut changed = SystemTime::UNIX_EPOCH;
    for source in SOURCES {
        changed = changed.max(files::newest(&root().join(source))?);
    }
    let mut stale = Vec::new();
    for backend in Backend::ALL {
        let script = backend.script();
        if files::modified(&script)?.is_none_or(|made| made < changed) {
            files::remove(&script)?;
            stale.push(backend);
        }
    }
    Ok(stale)
}

/// Makes one engine, in whatever state it is.
fn make(backend: Backend) -> Result<()> {
    tools::wasm_target()?;
    // An engine is as old as the sources that it was made from, and those can change while it is made.
    let start = SystemTime::now();
    let compiled = compile(backend)?;
    let folder = compiled.with_file_name("bindgen");
    bind(backend, &compiled, &folder).with_context(|| format!("wasm-bindgen failed on {}", compiled.display()))?;
    publish(backend, &folder)?;
    File::options().append(true).open(backend.script())?.set_modified(start)?;
    Ok(())
}

/// Compiles the library and says where cargo put it.
fn compile(backend: Backend) -> Result<PathBuf> {
    let mut cargo = tools::cargo();
    // Only the `cdylib`: beside an `rlib`, cargo would neither optimise at link time nor leave out the machine code
    // that is thrown away there, which is half of the work.
    cargo.args(["rustc", "--package", "unnoise", "--lib", "--crate-type", "cdylib", "--target", tools::WASM]);
    cargo.args(["--profile", backend.profile(), "--no-default-features", "--features", backend.feature()]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    // It would replace, not join, the flags in .cargo/config.toml, and an engine without SIMD is three times slower.
    cargo.env_remove("RUSTFLAGS");
    let messages = tools::output(&mut cargo)?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut files = artifacts.flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let engine = files.find_map(|file| file.as_str().filter(|path| path.ends_with(".wasm")).map(PathBuf::from));
    engine.context("cargo named no .wasm file")
}

/// Writes the JavaScript and the final binary to `folder`.
fn bind(backend: Backend, compiled: &Path, folder: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(compiled)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name(&backend.module())
        .generate(folder)
}

/// Moves an engine to `pkg/`, the script last: whoever sees the script finds the rest.
fn publish(backend: Backend, folder: &Path) -> io::Result<()> {
    let binary = backend.binary();
    let script = backend.script();
    for made in compress::compressed(&binary).into_iter().chain(compress::compressed(&script)) {
        files::remove(&made)?;
    }
    let types = script.with_extension("d.ts");
    for target in [binary.with_extension("wasm.d.ts"), binary, types, script] {
        let name = target.file_name().expect("it was joined from a name");
        fs::copy(folder.join(name), &target)?;
    }
    Ok(())
}
