//! The crate as its users get it: what `cargo package` packs, and whether a program of theirs compiles with it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{root, tools};

/// What the package holds beside what cargo itself adds: folders end in a slash.
const CONTENT: [&str; 6] = ["src/", "examples/", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];
/// What cargo adds.
const ADDED: [&str; 4] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];

/// The crates of a release, in the order in which they are published.
const CRATES: [&str; 3] = ["unnoise-kernels", "unnoise-kernels-gpu", "unnoise"];

/// Packs the crate, looks at what is in it, and runs the programs of its front page in crates that know nothing else.
pub fn check() -> Result<()> {
    let listed = tools::output(tools::cargo().args(["package", "--package", "unnoise", "--list", "--allow-dirty"]))?;
    contains_what_it_should(&listed)?;
    let mut pack = tools::cargo();
    pack.arg("package").args(CRATES.map(|name| format!("--package={name}")));
    tools::run(pack.args(["--no-verify", "--allow-dirty", "--quiet"]))?;
    let metadata = tools::metadata(&["--no-deps"])?;
    let version = metadata["packages"].as_array().into_iter().flatten().find(|p| p["name"] == "unnoise");
    let version = version.and_then(|p| p["version"].as_str()).context("cargo knows no package unnoise")?;
    let (target, place) = (tools::target()?, place()?);
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    for name in CRATES {
        let packed = target.join(format!("package/{name}-{version}.crate"));
        // As old as the package says, what has changed would pass for what was compiled here before.
        tools::run(tools::command("tar").arg("-xmzf").arg(&packed).arg("-C").arg(&place))?;
    }
    let packed = CRATES.map(|name| (name, place.join(format!("{name}-{version}"))));
    let [kernels @ .., (_, library)] = &packed;
    let programs = programs(&fs::read_to_string(library.join("src/lib.rs"))?);
    ensure!(programs.len() == 2, "the front page has {} programs, not two", programs.len());
    for ((name, features), program) in [("plain", ""), ("files", "\"cli\"")].into_iter().zip(&programs) {
        consume(&place, name, library, kernels, features, program)?;
    }
    Ok(())
}

/// Where its users are.
pub fn place() -> Result<PathBuf> {
    Ok(tools::target()?.join("consumer"))
}

fn contains_what_it_should(listed: &str) -> Result<()> {
    let belongs = |path: &str| {
        let is = |part: &&str| if part.ends_with('/') { path.starts_with(part) } else { path == *part };
        ADDED.contains(&path) || CONTENT.iter().any(is)
    };
    let files: Vec<String> = listed.lines().map(|path| path.replace('\\', "/")).collect();
    let foreign: Vec<_> = files.iter().filter(|path| !belongs(path)).cloned().collect();
    ensure!(foreign.is_empty(), "the package holds what no user needs: {}", foreign.join(", "));
    let has = |part: &&str| files.iter().any(|path| path.starts_with(part));
    let missing: Vec<_> = CONTENT.into_iter().filter(|part| !has(part)).collect();
    ensure!(missing.is_empty(), "the package lacks {}", missing.join(", "));
    Ok(())
}

/// Runs `program` as a crate of its own that knows the packed library with these features, and its kernels. It shares the target folder, the
/// locked versions and the profiles of this repository, so that no library is compiled twice. It has the features itself too,
/// since `rustdoc` runs the programs with those of the library.
fn consume(
    place: &Path,
    name: &str,
    library: &Path,
    kernels: &[(&str, PathBuf)],
    features: &str,
    program: &str,
) -> Result<()> {
    let folder = place.join(name);
    fs::create_dir_all(folder.join("src"))?;
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let profiles = manifest.find("[profile.").map_or("", |at| &manifest[at..]);
    let patches: String = kernels.iter().map(|(name, path)| format!("{name} = {{ path = {path:?} }}\n")).collect();
    let text = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [features]\ndefault = [{features}]\ncli = []\n\n[dependencies]\n\
         unnoise = {{ path = {library:?}, features = [{features}] }}\npollster = \"*\"\n\n\
         [patch.crates-io]\n{patches}\n{profiles}"
    );
    fs::write(folder.join("Cargo.toml"), text)?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("src/main.rs"), program)?;
    let target = place.parent().context("the consumers lie in the target folder")?;
    let mut run = tools::cargo();
    // In the repository's root: one of the programs reads a folder of models/, which the package does not hold.
    run.args(["run", "--quiet", "--manifest-path"]).arg(folder.join("Cargo.toml")).env("CARGO_TARGET_DIR", target);
    tools::run(&mut run)
        .with_context(|| format!("the program \"{name}\" of the front page fails outside of the repository"))
}

/// The programs between the fences of a module's documentation, as `rustdoc` runs them.
fn programs(source: &str) -> Vec<String> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let (mut found, mut inside) = (Vec::new(), None::<String>);
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (&mut inside, line.starts_with("```")) {
            (None, true) => inside = Some(String::new()),
            (Some(program), true) => {
                found.push(std::mem::take(program));
                inside = None;
            }
            (Some(program), false) => {
                // What the page hides and the compiler sees.
                *program += line.strip_prefix("# ").unwrap_or(line);
                program.push('\n');
            }
            (None, false) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_holds_what_a_user_needs_and_no_more() {
        let whole = "Cargo.toml\nsrc/lib.rs\nexamples/a.rs\nREADME.md\nCHANGELOG.md\nLICENSE-MIT\nLICENSE-APACHE\n";
        assert!(contains_what_it_should(whole).is_ok());
        let more = contains_what_it_should(&format!("{whole}tests/golden/rng\n")).unwrap_err().to_string();
        assert!(more.contains("no user needs: tests/golden/rng"), "{more}");
        let less = contains_what_it_should(&whole.replace("LICENSE-MIT\n", "")).unwrap_err().to_string();
        assert!(less.contains("lacks LICENSE-MIT"), "{less}");
    }

    #[test]
    fn programs_stand_between_fences_with_their_hidden_lines() {
        let source = "//! Words.\n//!\n//! ```\n//! let a = 1;\n//! # fn hidden() {}\n//! ```\n//! ```\n//! b\n//! ```\nmod c;\n";
        assert_eq!(programs(source), ["let a = 1;\nfn hidden() {}\n", "b\n"]);
    }
}
