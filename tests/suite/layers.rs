//! The floors of ARCHITECTURE.md, held by reading every `use` and path of the crate: a floor names only lower ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Module at the crate's root and its floor.
const FLOORS: &[(&str, u32)] = &[
    ("math", 0),
    ("words", 0),
    ("picture", 0),
    ("denoise", 1),
    ("samplers", 2),
    ("interchange", 3),
    ("animation", 3),
    ("dataset", 3),
    ("backend", 3),
    ("nn", 3),
    ("models", 3),
    ("pipeline", 4),
    ("settings", 4),
    ("replay", 4),
    ("session", 4),
    ("eval", 5),
    ("train", 5),
    ("provenance", 5),
    ("lab", 6),
    ("web", 7),
    ("bin", 7),
];

/// The floors that know neither tensors nor browsers, and the modules above them that do not either.
const PURE: u32 = 2;
const ALSO_PURE: &[&str] = &["animation", "interchange", "dataset", "replay"];
const IMPURE: &[&str] = &["burn", "wasm_bindgen", "js_sys", "wgpu", "web_sys"];

/// Modules of one floor that may be named by others of it.
const SHARED: &[&str] = &["backend", "nn", "interchange", "pipeline", "settings", "words"];

/// Samplers are independent of each other, and so are models: what they share stands in the module's own `mod.rs` or
/// in the parts named here.
const COMMON: &[(&str, &[&str])] = &[
    ("samplers", &["coefficients", "groups", "history", "knob", "linear", "method", "steps", "table", "driver"]),
    (
        "models",
        &[
            "autoencoder",
            "clip_text",
            "config",
            "files",
            "folder",
            "header",
            "keys",
            "legacy",
            "load",
            "plan",
            "read",
            "source",
            "weights",
            "unet2d",
        ],
    ),
];

/// Files that are made to name their neighbours.
const LISTS: &[&str] = &["samplers/mod.rs", "samplers/table.rs", "models/mod.rs"];

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src is readable").map(|e| e.expect("src is readable").path()) {
        if entry.is_dir() {
            sources(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            out.push(entry);
        }
    }
}

/// The first word after each `root::` in the code, comments left out so that prose may name what it likes; a group
/// `root::{a::b, c}` gives each of its members.
fn paths(text: &str, root: &str) -> Vec<String> {
    let code: String = text.lines().map(|l| l.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&format!("{root}::")) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + root.len() + 2..];
        match rest.strip_prefix('{') {
            None => found.push(first_word(rest)),
            Some(group) => {
                let mut depth = 0;
                let inside = group.split_once(';').map_or(group, |(inside, _)| inside);
                let top: String = inside
                    .chars()
                    .map_while(|c| {
                        depth += i32::from(c == '{') - i32::from(c == '}');
                        (depth >= 0).then_some(if depth > 0 && c == ',' { ' ' } else { c })
                    })
                    .collect();
                found.extend(top.split(',').map(|part| first_word(part.trim())));
            }
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Everything in `src` that breaks a rule, one sentence each.
fn violations(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut out = Vec::new();
    for (file, text) in files {
        let module = file.split(['/', '.']).next().unwrap_or_default();
        if module == "lib" {
            continue;
        }
        let Some(own) = floor(module) else {
            out.push(format!(
                "src/{file} stands on no floor: give {module} one in tests/suite/layers.rs and ARCHITECTURE.md"
            ));
            continue;
        };
        let root = if module == "bin" { "unnoise" } else { "crate" };
        for target in paths(text, root).into_iter().filter(|t| t != module && floor(t).is_some()) {
            let other = floor(&target).expect("filtered");
            if other > own || (other == own && !SHARED.contains(&target.as_str())) {
                out.push(format!("src/{file} (floor {own}) names {target} (floor {other})"));
            }
        }
        if own <= PURE || ALSO_PURE.contains(&module) {
            let named = IMPURE.iter().filter(|name| !paths(text, name).is_empty());
            out.extend(named.map(|name| format!("src/{file} (floor {own}) names {name}")));
        }
        if let Some((_, common)) = COMMON.iter().find(|(name, _)| *name == module)
            && !LISTS.contains(&file.as_str())
        {
            let own = file.trim_end_matches("/mod.rs");
            let folder = own.rsplit_once('/').map_or(module, |(folder, _)| folder);
            for (folder, names) in [(module, paths(text, &format!("crate::{module}"))), (folder, paths(text, "super"))]
            {
                let neighbour = |name: &String| {
                    let path = format!("{folder}/{name}");
                    let exists = [format!("{path}.rs"), format!("{path}/mod.rs")].iter().any(|f| files.contains_key(f));
                    exists && !own.trim_end_matches(".rs").starts_with(&path) && !common.contains(&name.as_str())
                };
                let named = names.iter().filter(|name| neighbour(name));
                out.extend(named.map(|name| format!("src/{file} names its neighbour {folder}::{name}")));
            }
        }
    }
    out
}

fn crate_sources() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let name = |p: &Path| p.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
    files.iter().map(|p| (name(p), fs::read_to_string(p).expect("readable source"))).collect()
}

#[test]
fn every_floor_names_only_lower_ones() {
    let files = crate_sources();
    assert!(files.len() > 15, "only {} sources found", files.len());
    assert_eq!(violations(&files), Vec::<String>::new());
}

#[test]
fn an_upward_or_sideways_import_is_found() {
    for (file, text) in [
        ("math/grid.rs", "use crate::denoise::Denoiser;"),
        ("math/grid.rs", "use burn::tensor::Tensor;"),
        ("interchange/mod.rs", "use burn::tensor::Tensor;"),
        ("denoise/clip.rs", "use crate::interchange::ConfigError;"),
        ("picture.rs", "use crate::math::Level;"),
        ("samplers/heun.rs", "fn f() { crate::session::run() }"),
        ("samplers/heun.rs", "use crate::{math::Level, backend};"),
        ("samplers/ode.rs", "use super::euler::euler;"),
        ("samplers/ode/heun.rs", "use super::euler::euler;"),
        ("samplers/ode/heun.rs", "use crate::samplers::{Run, euler};"),
        ("models/mlp.rs", "use crate::web::Engine;"),
        ("cellar.rs", ""),
    ] {
        let mut files = BTreeMap::from([(file.to_owned(), text.to_owned())]);
        for neighbour in ["samplers/euler.rs", "samplers/ode/euler.rs"] {
            files.insert(neighbour.to_owned(), String::new());
        }
        assert!(!violations(&files).is_empty(), "{file}: {text}");
    }
    let fine = "use crate::math::{Level, Grid};\nuse super::{Run, slide};\n/// See [`crate::session::run`].";
    let files = BTreeMap::from([("samplers/heun.rs".to_owned(), fine.to_owned())]);
    assert_eq!(violations(&files), Vec::<String>::new());
}

#[test]
fn no_source_is_longer_than_400_lines() {
    for (file, text) in crate_sources() {
        let lines = text.lines().count();
        assert!(lines <= 400, "src/{file} has {lines} lines: split it");
    }
}

/// Without features the library needs nothing but these, and what derives thiserror's trait.
#[test]
fn the_mathematics_need_two_libraries() {
    const KNOWN: [&str; 8] =
        ["unnoise", "libm", "thiserror", "thiserror-impl", "proc-macro2", "quote", "syn", "unicode-ident"];
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--package", "unnoise", "--no-default-features", "--edges", "normal", "--prefix", "none"]);
    let out = tree.arg("--offline").current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let out = String::from_utf8(out.stdout).expect("names are text");
    let named: Vec<&str> = out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(named.contains(&"libm"), "{out}");
    let more: Vec<_> = named.iter().filter(|name| !name.is_empty() && !KNOWN.contains(name)).collect();
    assert!(more.is_empty(), "the mathematics need {more:?} too");
}

/// No feature is on unless it is requested.
#[test]
fn no_feature_is_a_default() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    assert!(manifest.lines().any(|line| line == "default = []"));
}
