//! What makes `pkg/` an npm package: a manifest and the licences.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::module::Module;
use crate::{licences, root, tools};

/// Our own licences.
pub const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Writes everything that belongs in the package beside the engines.
pub fn write() -> Result<()> {
    let package = root().join("pkg");
    fs::write(package.join("package.json"), format!("{:#}\n", manifest()?))?;
    fs::write(package.join("THIRD-PARTY.txt"), licences::notices()?)?;
    for licence in LICENCES {
        fs::copy(root().join(licence), package.join(licence))?;
    }
    Ok(())
}

/// The manifest, whose version, description and licence are the library's.
fn manifest() -> Result<Value> {
    let metadata = tools::metadata(&["--no-deps"])?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let library = packages.find(|package| package["name"] == "unnoise").context("cargo knows no package unnoise")?;

    let mut exports = Map::new();
    // npm itself adds a licence of one name alone.
    let mut files: Vec<_> = LICENCES.iter().chain(&["THIRD-PARTY.txt"]).map(|file| json!(file)).collect();
    for module in Module::ALL {
        let name = module.module();
        // TypeScript finds the types beside the script.
        exports.insert(format!("./{}", module.id()), Value::from(format!("./{name}.js")));
        // For bundlers, which are asked for the binary by name.
        let binary = format!("./{name}_bg.wasm");
        exports.insert(binary.clone(), Value::from(binary));
        files.extend([".js", ".d.ts", "_bg.wasm", "_bg.wasm.d.ts"].map(|ending| json!(format!("{name}{ending}"))));
    }
    Ok(json!({
        "name": "unnoise",
        "version": library["version"],
        "description": library["description"],
        "license": library["license"],
        "type": "module",
        "files": files,
        "exports": exports,
        "sideEffects": false,
    }))
}
