//! The notices of the libraries that an engine contains, which their licences ask to hand on with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::module::Module;
use crate::{files, tools};

/// A text that lists the libraries of both engines with their licences, then each licence's words once.
pub fn notices() -> Result<String> {
    let metadata = tools::metadata(&[])?;
    let packages = metadata["packages"].as_array().context("cargo listed no packages")?;
    let engines = libraries()?;
    let mut list = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        // The library's own licence lies beside the engines.
        if !engines.contains(&name) || package["source"].is_null() {
            continue;
        }
        writeln!(list, "{name}: {} {}", text("license"), text("repository"))?;
        let folder = Path::new(text("manifest_path")).parent().context("cargo named a manifest in no folder")?;
        for path in files::list(folder)?.into_iter().filter(|path| is_licence(path)) {
            let words = String::from_utf8_lossy(&fs::read(&path)?).trim().to_owned();
            texts.entry(words).or_default().push(name.clone());
        }
    }
    let mut all = format!("The engines contain these Rust libraries.\n\n{list}");
    for (words, names) in texts {
        write!(all, "\n{}\n\n{}:\n\n{words}\n", "-".repeat(80), names.join(", "))?;
    }
    Ok(all)
}

/// The packages that are compiled for the browser, as `name version`.
fn libraries() -> Result<BTreeSet<String>> {
    let mut tree = tools::cargo();
    let features = Module::ALL.map(Module::feature).join(",");
    tree.args(["tree", "--package", "unnoise", "--target", tools::WASM, "--edges", "normal", "--prefix", "none"]);
    let lines = tools::output(tree.args(["--no-default-features", "--features", &features, "--format", "{p}"]))?;
    let name = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("{name} {}", rest.split(' ').next()?))
    };
    Ok(lines.lines().filter_map(name).collect())
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ["license", "licence", "copying", "notice", "unlicense"].iter().any(|word| name.starts_with(word))
}
