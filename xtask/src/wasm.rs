//! From the library to `pkg/`: cargo compiles it once a module, and wasm-bindgen writes the JavaScript around it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::module::Module;
use crate::{compress, files, root, tools};

/// What a module is made from. One that is older than any of it is out of date.
const SOURCES: [&str; 8] = ["src", "wasm", "kernels", "kernels-gpu", "Cargo.toml", "Cargo.lock", ".cargo", "xtask/src"];

/// Brings these modules up to date: those of one profile one after another, as they share its libraries, and the profiles in parallel,
/// because link-time optimisation of a module keeps one core busy only.
pub fn build(modules: &[Module]) -> Result<()> {
    tools::wasm_target()?;
    let mut profiles: BTreeMap<&str, Vec<Module>> = BTreeMap::new();
    for module in discard_stale()?.into_iter().filter(|module| modules.contains(module)) {
        profiles.entry(module.profile()).or_default().push(module);
    }
    thread::scope(|scope| {
        let builds: Vec<_> =
            profiles.into_values().map(|stale| scope.spawn(|| stale.into_iter().try_for_each(make))).collect();
        builds.into_iter().try_for_each(|build| build.join().expect("a module is made, or an error says why not"))
    })?;
    compress::compress()
}

/// Brings these engines and what is none up to date, but comes back as soon as the page can run on one engine: the
/// rest is made behind it, because the WebGPU engine takes many minutes when its libraries have never been compiled.
pub fn build_for_visitors(engines: Vec<Module>) -> Result<()> {
    tools::wasm_target()?;
    let stale = discard_stale()?;
    let mut wanted = Module::with(&engines);
    wanted.retain(|module| stale.contains(module));
    let engine_there = Module::ENGINES.iter().any(|engine| !stale.contains(engine));
    let at_once = wanted.iter().take_while(|module| **module == Module::Settings).count() + usize::from(!engine_there);
    let behind = wanted.split_off(at_once.min(wanted.len()));
    wanted.into_iter().try_for_each(make)?;
    for module in &behind {
        println!("The {} is being built; until then the page runs without it.", module.name());
    }
    thread::spawn(move || {
        for module in behind {
            match make(module) {
                Ok(()) => println!("The {} is ready: reload the page.", module.name()),
                Err(error) => eprintln!("error: the {} could not be built: {error:#}", module.name()),
            }
        }
        if let Err(error) = compress::compress() {
            eprintln!("error: the modules could not be compressed: {error:#}");
        }
    });
    Ok(())
}

/// Removes the modules that are out of date, so that nobody is served one, and says which they are.
fn discard_stale() -> Result<Vec<Module>> {
    let mut changed = SystemTime::UNIX_EPOCH;
    for source in SOURCES {
        changed = changed.max(files::newest(&root().join(source))?);
    }
    let mut stale = Vec::new();
    for module in Module::ALL {
        let script = module.script();
        if files::modified(&script)?.is_none_or(|made| made < changed) {
            files::remove(&script)?;
            stale.push(module);
        }
    }
    Ok(stale)
}

/// Makes one module, in whatever state it is.
fn make(module: Module) -> Result<()> {
    // A module is as old as the sources that it was made from, and those can change while it is made.
    let start = SystemTime::now();
    let compiled = compile(module)?;
    let folder = compiled.with_file_name("bindgen");
    bind(module, &compiled, &folder).with_context(|| format!("wasm-bindgen failed on {}", compiled.display()))?;
    publish(module, &folder)?;
    File::options().append(true).open(module.script())?.set_modified(start)?;
    Ok(())
}

/// Compiles the library and says where cargo put it.
fn compile(module: Module) -> Result<PathBuf> {
    let mut cargo = tools::cargo();
    cargo.args(["build", "--package", "unnoise-wasm", "--target", tools::WASM]);
    cargo.args(["--profile", module.profile(), "--no-default-features", "--features", module.feature()]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    // It would replace, not join, the flags in .cargo/config.toml, and an engine without SIMD is three times slower.
    cargo.env_remove("RUSTFLAGS");
    let messages = tools::output(&mut cargo)?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut files = artifacts.flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let binary = files.find_map(|file| file.as_str().filter(|path| path.ends_with(".wasm")).map(PathBuf::from));
    binary.context("cargo named no .wasm file")
}

/// Writes the JavaScript and the final binary to `folder`.
fn bind(module: Module, compiled: &Path, folder: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(compiled)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name(&module.module())
        .generate(folder)
}

/// Moves a module to `pkg/`, the script last: whoever sees the script finds the rest.
fn publish(module: Module, folder: &Path) -> io::Result<()> {
    let binary = module.binary();
    let script = module.script();
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
