//! The page's own libraries: files of npm packages that lie in `www/vendor/`, so that the page needs neither npm nor
//! another host.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{root, tools};

/// Each file in its package, and what it is called here.
const FILES: [(&str, &str); 11] = [
    ("uplot/dist/uPlot.esm.js", "uPlot.esm.js"),
    ("uplot/dist/uPlot.min.css", "uPlot.min.css"),
    ("uplot/LICENSE", "uPlot.LICENSE"),
    ("idb/build/index.js", "idb.js"),
    ("idb/LICENSE", "idb.LICENSE"),
    ("uqr/dist/index.mjs", "uqr.js"),
    ("uqr/LICENSE", "uqr.LICENSE"),
    ("mp4-muxer/build/mp4-muxer.mjs", "mp4-muxer.js"),
    ("mp4-muxer/LICENSE", "mp4-muxer.LICENSE"),
    ("webm-muxer/build/webm-muxer.mjs", "webm-muxer.js"),
    ("webm-muxer/LICENSE", "webm-muxer.LICENSE"),
];

/// Copies the files from the packages that npm has checked against the hashes in `tests/e2e/package-lock.json`.
pub fn copy() -> Result<()> {
    tools::packages()?;
    for (package, ours) in paths() {
        fs::copy(&package, &ours).with_context(|| format!("cannot copy {}", package.display()))?;
    }
    Ok(())
}

/// Makes sure that the files are what the packages have, which have to be there.
pub fn check() -> Result<()> {
    for (package, ours) in paths() {
        let same = fs::read(&package).with_context(|| format!("cannot read {}", package.display()))?
            == fs::read(&ours).with_context(|| format!("cannot read {}", ours.display()))?;
        ensure!(same, "{} is not what npm has: run `cargo xtask vendor`", ours.display());
    }
    Ok(())
}

fn paths() -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let packages = root().join("tests/e2e/node_modules");
    let vendor = root().join("www/vendor");
    FILES.into_iter().map(move |(package, ours)| (packages.join(package), vendor.join(ours)))
}
