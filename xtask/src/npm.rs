//! `pkg/package.json`: what makes the folder an npm package.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::backend::Backend;
use crate::{root, tools};

/// Writes the manifest, whose version, description and licence are the library's.
pub fn write_manifest() -> Result<()> {
    let metadata = tools::output(tools::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let library =
        packages.into_iter().find(|package| package["name"] == "unnoise").context("cargo knows no package unnoise")?;

    let mut exports = Map::new();
    let mut files = vec![json!("README.md")];
    for backend in Backend::ALL {
        let module = backend.module();
        let export = json!({ "types": format!("./{module}.d.ts"), "default": format!("./{module}.js") });
        exports.insert(format!("./{}", backend.id()), export);
        // Bundlers resolve the binary through the package too.
        let binary = format!("./{module}_bg.wasm");
        exports.insert(binary.clone(), Value::from(binary));
        files.extend([".js", ".d.ts", "_bg.wasm", "_bg.wasm.d.ts"].map(|ending| json!(format!("{module}{ending}"))));
    }
    let manifest = json!({
        "name": "unnoise",
        "version": library["version"],
        "description": library["description"],
        "license": library["license"],
        "type": "module",
        "files": files,
        "exports": exports,
        "sideEffects": false,
    });
    fs::write(root().join("pkg/package.json"), format!("{manifest:#}\n"))?;
    Ok(())
}
