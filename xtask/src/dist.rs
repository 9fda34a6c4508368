//! The site as a folder of files for any static host, under any path.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::module::Module;
use crate::{files, models, npm, root, wasm};

/// Makes GitHub Pages serve the files as they are; here it also tells a folder that `dist` wrote from any other.
const MARK: &str = ".nojekyll";

/// Writes the site to `out`, which is replaced.
pub fn dist(out: &Path) -> Result<()> {
    ensure_ours(out)?;
    let weights = models::weigh(&root().join("models"))?;
    wasm::build(&Module::ALL)?;
    npm::write().context("could not write the npm package in pkg/")?;
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("could not replace {}", out.display()))?;
    }
    write(out).with_context(|| format!("could not write {}", out.display()))?;
    println!("The site is in {}, with {:.1} MB of weights.", out.display(), weights as f64 / 1e6);
    Ok(())
}

/// Refuses a folder that holds something else.
fn ensure_ours(out: &Path) -> Result<()> {
    let ours =
        !out.exists() || out.join(MARK).exists() || out.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    ensure!(ours, "{} was not written by `cargo xtask dist` and is left alone: choose another --out", out.display());
    Ok(())
}

fn write(out: &Path) -> Result<()> {
    let mut paths = vec![root().join("index.html")];
    paths.extend(npm::LICENCES.map(|licence| root().join(licence)));
    paths.extend(files::list(&root().join("www"))?);
    paths.extend(files::list(&root().join("pkg"))?);
    paths.extend(models::shipped(&root().join("models"))?);
    for path in paths {
        let target = out.join(path.strip_prefix(root())?);
        fs::create_dir_all(target.parent().expect("it is under `out`"))?;
        fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
    }
    fs::write(out.join("models/index.json"), models::index(&root().join("models"))?)?;
    fs::write(out.join(MARK), "")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_only_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure_ours(&folder.path().join("new")).is_ok());
        assert!(ensure_ours(folder.path()).is_ok());
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert!(ensure_ours(folder.path()).is_err());
        assert!(ensure_ours(&folder.path().join("thesis.tex")).is_err());
        fs::write(folder.path().join(MARK), "").unwrap();
        assert!(ensure_ours(folder.path()).is_ok());
    }
}
