//! The commands of the README, run as they are printed in a folder that holds what a clone does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::{files, root, tools};

/// Commands that are not run, by how they begin, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("cargo xtask serve", "it goes on until it is stopped; the page's tests serve the page"),
    ("cargo xtask test", "it is the command that runs this check"),
    ("cargo add", "the crate's own check adds the packed crate to other programs"),
    ("cargo run --release --features cli,gpu", "it needs a GPU"),
    ("cargo unnoise eval", "it needs a data set of 30 MB and many minutes"),
    ("cargo unnoise quality", "it needs a data set of 30 MB and hours"),
    ("cargo unnoise train", "it needs a data set of 10 MB and hours"),
    ("curl", "it fetches a data set of somebody else's"),
    ("mkdir", "it makes the place for what is fetched"),
];

/// Runs every command of the README that is not listed as not run. Each writes files of its own.
pub fn check() -> Result<()> {
    let printed = commands(&fs::read_to_string(root().join("README.md"))?);
    let place = copy()?;
    for (beginning, _) in NOT_RUN {
        let is_printed = printed.iter().any(|command| command.starts_with(beginning));
        ensure!(is_printed, "no command of the README begins with `{beginning}`, which is said not to be run");
    }
    let mut written: BTreeSet<PathBuf> = BTreeSet::new();
    for command in &printed {
        if let Some((_, why)) = NOT_RUN.iter().find(|(beginning, _)| command.starts_with(beginning)) {
            println!("not run: {command}: {why}");
            continue;
        }
        let begun = Instant::now();
        let before = times(&place)?;
        let mut shell = tools::command("sh");
        shell.args(["-c", command]).current_dir(&place);
        shell.env("CARGO_TARGET_DIR", tools::target()?).env_remove("CARGO_MANIFEST_DIR");
        let output = shell.output().with_context(|| format!("could not start `{command}`"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "the README's command `{command}` failed: {said}");
        for (path, time) in times(&place)? {
            if before.iter().all(|known| *known != (path.clone(), time)) && !written.insert(path.clone()) {
                bail!("two commands of the README write {}, the second of them `{command}`", path.display());
            }
        }
        println!("{:5.1} s: {command}", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Where the commands are run.
pub fn place() -> Result<PathBuf> {
    Ok(tools::target()?.join("readme"))
}

/// A folder of the files that git knows, as they are now.
fn copy() -> Result<PathBuf> {
    let place = place()?;
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let listed = tools::output(tools::command("git").args(["ls-files", "-z"]))?;
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (root().join(path), place.join(path));
        fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
        fs::copy(&from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    fs::write(place.join(".cargo/config.toml"), alias(&root().join("Cargo.toml")))?;
    Ok(place)
}

/// `cargo unnoise` as the program of this clone, which the stages before have compiled; a release would have every library compiled
/// once more.
fn alias(manifest: &Path) -> String {
    format!(
        "[alias]\nunnoise = [\"run\", \"--quiet\", \"--manifest-path\", {manifest:?}, \"--features\", \"cli\", \"--\"]\n"
    )
}

/// The files of a folder, each with the time of its last change.
fn times(place: &Path) -> Result<Vec<(PathBuf, std::time::SystemTime)>> {
    let time = |path: PathBuf| Ok((path.clone(), fs::metadata(&path)?.modified()?));
    files::list(place)?.into_iter().map(time).collect()
}

/// The commands between the fences of shell, without their comments.
fn commands(readme: &str) -> Vec<String> {
    let (mut found, mut inside) = (Vec::new(), false);
    for line in readme.lines() {
        match (inside, line) {
            (false, "```sh") => inside = true,
            (true, "```") => inside = false,
            (true, line) => {
                let command = line.split(" # ").next().unwrap_or_default().trim();
                if !command.is_empty() {
                    found.push(command.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_between_fences_without_their_comments() {
        let text =
            "cargo no\n```sh\ncargo a --link 'x/#seed=3'   # says\n\ncargo b\n```\n```json\n{}\n```\n```sh\nc\n```\n";
        assert_eq!(commands(text), ["cargo a --link 'x/#seed=3'", "cargo b", "c"]);
    }

    /// Of one kind of command there may be several; no file is the output of two.
    #[test]
    fn the_readmes_commands_are_run_or_said_not_to_be() {
        let printed = commands(&fs::read_to_string(root().join("README.md")).expect("the README"));
        assert!(printed.iter().filter(|command| command.starts_with("cargo unnoise")).count() >= 15, "{printed:?}");
        for (beginning, _) in NOT_RUN {
            assert!(printed.iter().any(|command| command.starts_with(beginning)), "{beginning} is not printed");
        }
    }
}
