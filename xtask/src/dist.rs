//! The site as a folder of files for any static host, under any path.
//!
//! Scripts, styles and WebAssembly lie in a folder that is named after what is in it, and only `index.html` names that
//! folder. A browser that has kept files of an earlier release therefore never mixes them with those of this one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::module::Module;
use crate::{files, models, npm, root, wasm};

/// Makes GitHub Pages serve the files as they are; here it also tells a folder that `dist` wrote from any other.
const MARK: &str = ".nojekyll";

/// What a release is made of: it changes together.
const RELEASED: [&str; 2] = ["www", "pkg"];

/// What belongs to the npm package alone.
const PACKAGE_ONLY: [&str; 3] = ["package.json", "README.md", "ts"];

/// The service worker, which the site has at its root: it answers for what lies beside it and below.
const WORKER: &str = "www/offline/sw.js";

/// What makes the page one that can be installed; it says where the page is from where it lies.
const MANIFEST: &str = "www/offline/manifest.webmanifest";

/// What the service worker keeps of a release: files by their paths with their SHA-256 in hexadecimal.
#[derive(Serialize)]
struct Site {
    /// The folder of the release.
    release: String,
    /// What every visitor has.
    shell: BTreeMap<String, String>,
    /// What a visitor has of the engine that was used, by its id.
    engines: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// Writes the site with these engines to `out`, which is replaced; `url` is where it will be.
pub fn dist(out: &Path, engines: &[Module], url: Option<&str>) -> Result<()> {
    ensure_ours(out)?;
    let weights = models::weigh(&root().join("models"))?;
    let modules = Module::with(engines);
    wasm::build(&modules)?;
    npm::write().context("could not write the npm package in pkg/")?;
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("could not replace {}", out.display()))?;
    }
    write(root(), out, &modules, url).with_context(|| format!("could not write {}", out.display()))?;
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

/// Writes the site with these modules of WebAssembly.
fn write(root: &Path, out: &Path, modules: &[Module], url: Option<&str>) -> Result<()> {
    let mut released = Vec::new();
    for folder in RELEASED {
        released.extend(files::list(&root.join(folder))?);
    }
    let absent: Vec<_> = Module::ALL.into_iter().filter(|it| !modules.contains(it)).map(Module::module).collect();
    released.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !files::has_ending(path, &PACKAGE_ONLY)
            && !PACKAGE_ONLY.iter().any(|end| path.ends_with(end))
            && !path.ends_with(WORKER)
            && !absent.iter().any(|module| name.starts_with(module))
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
    // The page is one floor higher above its manifest than where it is edited.
    let manifest = fs::read_to_string(root.join(MANIFEST))?;
    fs::write(out.join(&assets).join(MANIFEST), manifest.replace("\"../../\"", "\"../../../\""))?;
    let page = fs::read_to_string(root.join("index.html"))?;
    let page = page.replace("\"www/", &format!("\"{assets}/www/"));
    fs::write(out.join("index.html"), pictured(page, &assets, url))?;
    let worker = fs::read_to_string(root.join(WORKER))?;
    let site = serde_json::to_string(&kept(out, &assets)?)?;
    fs::write(out.join("sw.js"), format!("const SITE = {site};\n{worker}"))?;
    fs::write(out.join("models/index.json"), models::index(&root.join("models"))?)?;
    fs::write(out.join(MARK), "")?;
    Ok(())
}

/// The page with the whole address of the picture that stands for it: most networks read no other.
fn pictured(page: String, assets: &str, url: Option<&str>) -> String {
    let Some(url) = url else { return page };
    page.replace(&format!("content=\"{assets}/"), &format!("content=\"{}/{assets}/", url.trim_end_matches('/')))
}

/// What the service worker is to keep of the release in this folder.
fn kept(out: &Path, assets: &str) -> Result<Site> {
    let mut site = Site { release: assets.to_owned(), shell: BTreeMap::new(), engines: BTreeMap::new() };
    let mut paths = files::list(&out.join(assets))?;
    // What is compressed is the same file to a browser, and nobody reads licences without a network.
    paths.retain(|path| path.extension().is_some() && !files::has_ending(path, &["br", "gz", "txt", "LICENSE"]));
    paths.push(out.join("index.html"));
    for path in paths {
        let name = path.strip_prefix(out)?.to_string_lossy().into_owned();
        let engine = Module::ENGINES.into_iter().find(|engine| name.contains(&format!("/{}", engine.module())));
        let list = match engine {
            Some(engine) => site.engines.entry(engine.id()).or_default(),
            None => &mut site.shell,
        };
        list.insert(name, format!("{:x}", Sha256::digest(fs::read(&path)?)));
    }
    Ok(site)
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

    /// What is in a site: the names of its files, and some of them.
    struct Written {
        names: Vec<String>,
        page: String,
        worker: String,
        manifest: String,
    }

    /// A site made from a repository with this script.
    fn site(script: &str) -> Written {
        let [root, out] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for (path, contents) in [
            ("index.html", "<link href=\"www/style.css\"><script src=\"www/main.js\"></script>"),
            ("www/main.js", script),
            ("www/style.css", ""),
            (WORKER, "// the worker"),
            (MANIFEST, "{\"start_url\":\"../../\"}"),
            ("pkg/unnoise_webgpu_bg.wasm", ""),
            ("pkg/unnoise_cpu.js", ""),
            ("pkg/unnoise_cpu_bg.wasm.br", ""),
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
        write(root.path(), out.path(), &[Module::Settings, Module::Cpu], None).unwrap();
        let paths = files::list(out.path()).unwrap();
        let names = paths.iter().map(|path| path.strip_prefix(out.path()).unwrap().to_string_lossy().into_owned());
        let names: Vec<_> = names.collect();
        let read = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
        let manifest = names.iter().find(|name| name.ends_with(MANIFEST)).unwrap();
        Written { page: read("index.html"), worker: read("sw.js"), manifest: read(manifest), names }
    }

    #[test]
    fn a_release_has_a_folder_of_its_own_which_the_page_and_its_worker_alone_name() {
        let Written { names, page, .. } = site("first");
        let assets = names[2].split('/').next().unwrap();
        assert!(assets.starts_with("assets-") && assets.len() == 19, "{names:?}");
        let under = |file: &str| format!("{assets}/{file}");
        let expected = [
            "LICENSE-APACHE".to_owned(),
            "LICENSE-MIT".to_owned(),
            under("pkg/unnoise_cpu.js"),
            under("pkg/unnoise_cpu_bg.wasm.br"),
            under("pkg/worker.js"),
            under("www/main.js"),
            under(MANIFEST),
            under("www/style.css"),
            "index.html".to_owned(),
            "models/dots/unet/diffusion_pytorch_model.safetensors".to_owned(),
            "models/index.json".to_owned(),
            "sw.js".to_owned(),
        ];
        assert_eq!(names, expected);
        let [style, script] = [under("www/style.css"), under("www/main.js")];
        assert_eq!(page, format!("<link href=\"{style}\"><script src=\"{script}\"></script>"));
        let second = site("second").names;
        assert_ne!(second[2], names[2]);
        assert_eq!(second[9], names[9], "weights are named as ever");
        assert_eq!(site("first").names, names);
    }

    #[test]
    fn the_picture_for_links_has_a_whole_address_where_there_is_one() {
        let page = || "<meta content=\"assets-1/share.png\"><img src=\"assets-1/share.png\">".to_owned();
        let whole = "<meta content=\"https://a.org/b/assets-1/share.png\"><img src=\"assets-1/share.png\">";
        assert_eq!(pictured(page(), "assets-1", Some("https://a.org/b/")), whole);
        assert_eq!(pictured(page(), "assets-1", None), page());
    }

    #[test]
    fn the_worker_knows_every_file_of_the_release_by_what_is_in_it() {
        let Written { names, worker, manifest, .. } = site("first");
        let assets = names[2].split('/').next().unwrap();
        let list = worker.strip_prefix("const SITE = ").and_then(|rest| rest.strip_suffix(";\n// the worker")).unwrap();
        let site: serde_json::Value = serde_json::from_str(list).unwrap();
        assert_eq!(site["release"], assets);
        let shell: Vec<_> = site["shell"].as_object().unwrap().keys().cloned().collect();
        let under = |file: &str| format!("{assets}/{file}");
        assert_eq!(
            shell,
            [&under("pkg/worker.js"), &under("www/main.js"), &under(MANIFEST), &under("www/style.css"), "index.html"]
        );
        assert_eq!(
            site["engines"]["cpu"].as_object().unwrap().keys().collect::<Vec<_>>(),
            [&under("pkg/unnoise_cpu.js")]
        );
        assert_eq!(site["shell"][under("www/main.js")], format!("{:x}", Sha256::digest("first")));
        assert_eq!(manifest, "{\"start_url\":\"../../../\"}");
    }
}
