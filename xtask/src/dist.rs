//! The site as a folder of files for any static host, under any path.
//!
//! Scripts, styles and WebAssembly lie in a folder that is named after what is in it, and only `index.html` names that
//! folder. A browser that has kept files of an earlier release therefore never mixes them with those of this one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::module::Module;
use crate::{files, models, npm, root, wasm};

/// Makes GitHub Pages serve the files as they are; here it also tells a folder that `dist` wrote from any other.
const MARK: &str = ".nojekyll";

/// What a release is made of: it changes together.
const RELEASED: [&str; 2] = ["www", "pkg"];

/// What belongs to the npm package alone.
const PACKAGE_ONLY: [&str; 3] = ["package.json", "README.md", "ts"];

/// Writes the site to `out`, which is replaced.
pub fn dist(out: &Path) -> Result<()> {
    ensure_ours(out)?;
    let weights = models::weigh(&root().join("models"))?;
    wasm::build(&Module::ALL)?;
    npm::write().context("could not write the npm package in pkg/")?;
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("could not replace {}", out.display()))?;
    }
    write(root(), out).with_context(|| format!("could not write {}", out.display()))?;
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

fn write(root: &Path, out: &Path) -> Result<()> {
    let mut released = Vec::new();
    for folder in RELEASED {
        released.extend(files::list(&root.join(folder))?);
    }
    released.retain(|path| {
        !PACKAGE_ONLY.iter().any(|end| path.ends_with(end) || path.extension().is_some_and(|it| it == *end))
    });
    let assets = format!("assets-{}", hash(root, &released)?);
    for path in &released {
        copy(path, &out.join(&assets).join(path.strip_prefix(root)?))?;
    }
    let mut others: Vec<_> = npm::LICENCES.iter().map(|licence| root.join(licence)).collect();
    others.extend(models::shipped(&root.join("models"))?);
    for path in others {
        copy(&path, &out.join(path.strip_prefix(root)?))?;
    }
    let page = fs::read_to_string(root.join("index.html"))?;
    fs::write(out.join("index.html"), page.replace("\"www/", &format!("\"{assets}/www/")))?;
    fs::write(out.join("models/index.json"), models::index(&root.join("models"))?)?;
    fs::write(out.join(MARK), "")?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().expect("it is under `out`"))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// A short name for what these files are called and contain.
fn hash(root: &Path, released: &[PathBuf]) -> Result<String> {
    let mut digest = Sha256::new();
    for path in released {
        let contents = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        digest.update(path.strip_prefix(root)?.to_string_lossy().as_bytes());
        digest.update(contents.len().to_le_bytes());
        digest.update(contents);
    }
    Ok(format!("{:x}", digest.finalize())[..12].to_owned())
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

    /// The names of the folders and files at the top of a site made from a repository with this script.
    fn site(script: &str) -> (Vec<String>, String) {
        let [root, out] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for (path, contents) in [
            ("index.html", "<link href=\"www/style.css\"><script src=\"www/main.js\"></script>"),
            ("www/main.js", script),
            ("www/style.css", ""),
            ("pkg/worker.js", ""),
            ("pkg/package.json", "{}"),
            ("pkg/index.d.ts", ""),
            ("models/dots/unet/diffusion_pytorch_model.safetensors", "weights"),
            ("LICENSE-MIT", ""),
            ("LICENSE-APACHE", ""),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        write(root.path(), out.path()).unwrap();
        let paths = files::list(out.path()).unwrap();
        let names = paths.iter().map(|path| path.strip_prefix(out.path()).unwrap().to_string_lossy().into_owned());
        (names.collect(), fs::read_to_string(out.path().join("index.html")).unwrap())
    }

    #[test]
    fn a_release_has_a_folder_of_its_own_which_the_page_alone_names() {
        let (names, page) = site("first");
        let assets = names[2].split('/').next().unwrap();
        assert!(assets.starts_with("assets-") && assets.len() == 19, "{names:?}");
        let under = |file: &str| format!("{assets}/{file}");
        let expected =
            ["LICENSE-APACHE", "LICENSE-MIT", &under("pkg/worker.js"), &under("www/main.js"), &under("www/style.css")];
        assert_eq!(names[..5], expected);
        assert_eq!(
            names[5..],
            ["index.html", "models/dots/unet/diffusion_pytorch_model.safetensors", "models/index.json"]
        );
        let [style, script] = [under("www/style.css"), under("www/main.js")];
        assert_eq!(page, format!("<link href=\"{style}\"><script src=\"{script}\"></script>"));
        let (others, _) = site("second");
        assert_ne!(others[2], names[2]);
        assert_eq!(others[6], names[6], "weights are named as ever");
        assert_eq!(site("first").0, names);
    }
}
