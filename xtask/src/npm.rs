//! What makes `pkg/` an npm package beside its own scripts and the compiled modules: a manifest, the licences, and the
//! files that an engine is tested with before it is trusted.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::module::Module;
use crate::{licences, root, tools};

/// Our own licences.
pub const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// What wasm-bindgen makes of each module.
const ENDINGS: [&str; 4] = [".js", ".d.ts", "_bg.wasm", "_bg.wasm.d.ts"];

/// The self-test's files in `models/`, and what they are called in the package.
const SELF_TEST: [(&str, &str); 3] = [
    ("unet/config.json", "config.json"),
    ("unet/diffusion_pytorch_model.safetensors", "weights.safetensors"),
    ("oracle.safetensors", "expected.safetensors"),
];

/// Writes everything that belongs in the package beside the modules.
pub fn write() -> Result<()> {
    let package = root().join("pkg");
    fs::write(package.join("package.json"), format!("{:#}\n", manifest()?))?;
    fs::write(package.join("THIRD-PARTY.txt"), licences::notices()?)?;
    for licence in LICENCES {
        fs::copy(root().join(licence), package.join(licence))?;
    }
    let [from, to] = [root().join("models/selftest"), package.join("selftest")];
    fs::create_dir_all(&to)?;
    for (theirs, ours) in SELF_TEST {
        fs::copy(from.join(theirs), to.join(ours)).with_context(|| format!("cannot copy {theirs}"))?;
    }
    Ok(())
}

/// The manifest, whose version, description and licence are the library's.
fn manifest() -> Result<Value> {
    let metadata = tools::metadata(&["--no-deps"])?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let library = packages.find(|package| package["name"] == "unnoise").context("cargo knows no package unnoise")?;
    // npm itself adds a licence of one name alone.
    let mut files: Vec<_> =
        LICENCES.iter().chain(&["THIRD-PARTY.txt", "index.d.ts", "selftest"]).map(|file| (*file).to_owned()).collect();
    files.extend(scripts()?);
    files.extend(Module::ALL.iter().flat_map(|module| ENDINGS.map(|ending| format!("{}{ending}", module.module()))));
    Ok(json!({
        "name": "unnoise",
        "version": library["version"],
        "description": library["description"],
        "license": library["license"],
        "type": "module",
        "files": files,
        "exports": { ".": { "types": "./index.d.ts", "default": "./index.js" }, "./package.json": "./package.json" },
        "types": "./index.d.ts",
        "sideEffects": ["./worker.js", "./film-worker.js"],
    }))
}

/// The package's own scripts, by name.
fn scripts() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("pkg"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".js") && !name.starts_with("unnoise_") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
