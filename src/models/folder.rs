//! Which files of a model's folder hold what, in all the layouts that diffusers has written.
//!
//! It is decided by names alone, so that files from a directory, from a page or from a server are found alike.

mod instead;
use super::Source;
use instead::instead;
use serde_json::Value;
use std::collections::BTreeSet;
use thiserror::Error;

/// The name of a weights file, before its variant and its ending.
const WEIGHTS: &str = "diffusion_pytorch_model";
const SAFETENSORS: &str = ".safetensors";

/// Where the weights are.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// One safetensors file, or all its shards.
    Files(Vec<String>),
    /// The index that names the shards.
    Index(String),
}

/// Why a folder cannot be read as a model.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum FolderError {
    #[error("{path} cannot be read ({why}); a model is a folder, as save_pretrained of diffusers writes one.")]
    Unreadable { path: String, why: String },
    #[error(
        "The folder has neither unet/config.json nor config.json; it holds {0}. A model is what save_pretrained of a diffusers pipeline or UNet2DModel writes."
    )]
    NoConfig(String),
    #[error(
        "{0} is a LoRA, which changes a model and is none itself; fuse it into its model with diffusers (fuse_lora, then save_pretrained), and use that folder."
    )]
    Lora(String),
    #[error("{0} is a GGUF file, which is not read; use the model's folder as save_pretrained of diffusers writes it.")]
    Gguf(String),
    #[error(
        "{0} is a whole checkpoint in one file, which is not read; in Python, load it with from_single_file of a diffusers pipeline and call save_pretrained."
    )]
    Checkpoint(String),
    #[error("There are no safetensors weights beside {config}; the folder holds {holds}.")]
    NoWeights { config: String, holds: String },
    #[error(
        "The weights beside {config} are in {found}, which is not read; write them as safetensors: in Python, load the model with diffusers and call save_pretrained."
    )]
    OtherWeights { config: String, found: String },
    #[error(
        "The folder holds several weights, {0}; keep the one to use, or name it diffusion_pytorch_model.safetensors."
    )]
    Several(String),
    #[error("{index} is not an index of weights: {why}.")]
    Index { index: String, why: String },
    #[error("{path} ends before what its header says; download it again.")]
    Short { path: String },
    #[error("The weights are in {expected} parts, of which {missing} is not there; download it too.")]
    MissingShard { expected: usize, missing: String },
}

/// Where the network lies, as `from_pretrained` of diffusers is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The folder in the model's folder, unless the network lies at its root.
    pub subfolder: Option<String>,
    /// The variant of the weights, unless they have the plain name.
    pub variant: Option<String>,
    /// Whether the weights have a name that it looks for.
    pub found: bool,
}

impl Place {
    /// Of the network with the configuration `config` and the first file of its weights.
    pub fn of(config: &str, weights: &str) -> Self {
        let name = weights.rsplit('/').next().unwrap_or_default();
        // Such as `diffusion_pytorch_model.fp16-00001-of-00002.safetensors`.
        let rest = name.strip_prefix(WEIGHTS);
        let variant = rest.and_then(|rest| rest.strip_prefix('.')?.split(['.', '-']).next());
        Self {
            subfolder: config.rsplit_once('/').map(|(folder, _)| folder.to_owned()),
            variant: variant.filter(|variant| *variant != "safetensors").map(str::to_owned),
            found: rest.is_some(),
        }
    }
}

/// The configuration of the network in a folder without a `model_index.json`, among the paths `files`.
///
/// # Errors
/// There is none: what the folder holds instead is named.
pub fn network_config(files: &[String]) -> Result<String, FolderError> {
    let config = first(files, &["unet/config.json", "transformer/config.json", "config.json"]);
    config.ok_or_else(|| instead(files))
}

/// The first of `paths` that is among `files`.
pub fn first(files: &[String], paths: &[&str]) -> Option<String> {
    paths.iter().find(|path| files.iter().any(|file| file == *path)).map(|path| (*path).to_owned())
}

/// The weights beside the configuration `config`, among `files`: the plain file, shards, a variant of fewer bits, or the
/// only safetensors file that there is.
fn weights(files: &[&str], config: &str) -> Result<Weights, FolderError> {
    let folder = config.rsplit_once('/').map_or("", |(folder, _)| &config[..=folder.len()]);
    let mut beside: Vec<&str> = files.iter().filter_map(|path| path.strip_prefix(folder)).collect();
    beside.retain(|name| !name.contains('/'));
    beside.sort_unstable();
    let path = |name: &str| format!("{folder}{name}");
    let file = |name: &str| Weights::Files(vec![path(name)]);

    let plain = format!("{WEIGHTS}{SAFETENSORS}");
    if beside.contains(&plain.as_str()) {
        return Ok(file(&plain));
    }
    // With a variant: `diffusion_pytorch_model.safetensors.index.fp16.json`.
    let index = |name: &&&str| name.strip_suffix(".json").is_some_and(|name| name.contains(".safetensors.index"));
    if let Some(name) = beside.iter().find(index) {
        return Ok(Weights::Index(path(name)));
    }
    let safetensors: Vec<&str> = beside.iter().filter(|name| name.ends_with(SAFETENSORS)).copied().collect();
    if let Some((_, expected)) = safetensors.first().and_then(|name| part(name)) {
        let parts: BTreeSet<usize> = safetensors.iter().filter_map(|name| Some(part(name)?.0)).collect();
        return match (1..=expected).find(|number| !parts.contains(number)) {
            Some(missing) => Err(FolderError::MissingShard { expected, missing: format!("part {missing}") }),
            None => Ok(Weights::Files(safetensors.into_iter().map(path).collect())),
        };
    }
    let variants = VARIANTS.map(|variant| format!("{WEIGHTS}.{variant}{SAFETENSORS}"));
    if let Some(name) = variants.iter().find(|name| beside.contains(&name.as_str())) {
        return Ok(file(name));
    }
    let config = config.to_owned();
    match safetensors.as_slice() {
        [only] => Ok(file(only)),
        [] => {
            let is_weights = |name: &&&str| OTHERS.iter().any(|ending| name.ends_with(ending));
            let found: Vec<&str> = beside.iter().filter(is_weights).copied().collect();
            match found.is_empty() {
                true => Err(FolderError::NoWeights { config, holds: listed(files) }),
                false => Err(FolderError::OtherWeights { config, found: listed(&found) }),
            }
        }
        several => Err(FolderError::Several(listed(several))),
    }
}

/// Variants of weights, better ones first.
const VARIANTS: [&str; 4] = ["fp32", "fp16", "bf16", "ema"];

/// Endings of weights that are not read: pickles, which run as programs, and the files of other libraries.
const OTHERS: [&str; 9] = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".onnx", ".h5", ".gguf"];

/// Number and count of a shard, as in `diffusion_pytorch_model-00001-of-00002.safetensors`.
fn part(name: &str) -> Option<(usize, usize)> {
    let (start, rest) = name.split_once("-of-")?;
    let number = start.rsplit_once('-')?.1.parse().ok()?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((number, rest[..digits].parse().ok()?))
}

impl Weights {
    /// The paths of the files in `source`, of which `files` there are.
    ///
    /// # Errors
    /// As [`shards`], and an index that cannot be read.
    pub async fn paths(self, source: &impl Source, files: &[String]) -> Result<Vec<String>, FolderError> {
        match self {
            Self::Files(paths) => Ok(paths),
            Self::Index(index) => shards(&index, &text(&source.read(&index).await?), files),
        }
    }

    /// The weights beside the configuration `config`, among the paths `files` of a folder.
    ///
    /// # Errors
    /// There are none, or only in a form that is not read: what there is instead is named.
    pub fn beside(config: &str, files: &[String]) -> Result<Self, FolderError> {
        weights(&files.iter().map(String::as_str).collect::<Vec<_>>(), config)
    }
}

/// The shards that the JSON text of an index names, as paths in the folder.
///
/// # Errors
/// Text that is no index; a shard that is not among `files`.
pub fn shards(index: &str, json: &str, files: &[String]) -> Result<Vec<String>, FolderError> {
    let not_one = |why: String| FolderError::Index { index: index.to_owned(), why };
    let value: Value = serde_json::from_str(json).map_err(|e| not_one(e.to_string()))?;
    let map = value["weight_map"].as_object().ok_or_else(|| not_one("it has no weight_map".to_owned()))?;
    let names = map.values().map(Value::as_str).collect::<Option<BTreeSet<&str>>>();
    let names = names.filter(|names| !names.is_empty()).ok_or_else(|| not_one("it names no files".to_owned()))?;
    let folder = index.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let paths: Vec<String> = names.iter().map(|name| format!("{folder}{name}")).collect();
    match paths.iter().find(|path| !files.contains(path)) {
        Some(missing) => Err(FolderError::MissingShard { expected: paths.len(), missing: missing.clone() }),
        None => Ok(paths),
    }
}

/// Names for a sentence, the first few of many.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    match names {
        [] => "nothing".to_owned(),
        names if names.len() <= SHOWN => names.join(", "),
        names => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}

/// The text of a file, without the mark that some editors begin UTF-8 with. What is no UTF-8 in it is left to whoever
/// understands the text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned()
}

/// A model's folder on disk.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Debug)]
pub struct Directory(pub std::path::PathBuf);

#[cfg(not(target_family = "wasm"))]
impl Directory {
    /// The files of the folder and of the folders in it, sorted; hidden ones, such as the `._` companions that macOS
    /// leaves on other file systems, are left out.
    ///
    /// # Errors
    /// There is no such folder, or a file in its place.
    pub fn list(&self) -> Result<Vec<String>, FolderError> {
        let mut files = Vec::new();
        for name in visible(&self.0)? {
            let inner = self.0.join(&name);
            match inner.is_dir() {
                true => files.extend(visible(&inner)?.into_iter().map(|inner| format!("{name}/{inner}"))),
                false => files.push(name),
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    /// The bytes of the file at `path` in the folder.
    ///
    /// # Errors
    /// There is no such file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        let path = self.0.join(path);
        std::fs::read(&path).map_err(unreadable(&path))
    }

    /// How many bytes the file at `path` has.
    ///
    /// # Errors
    /// There is no such file.
    pub fn size(&self, path: &str) -> Result<u64, FolderError> {
        let path = self.0.join(path);
        Ok(std::fs::metadata(&path).map_err(unreadable(&path))?.len())
    }

    /// Fills `into` with the bytes of the file at `path` from `from` on.
    ///
    /// # Errors
    /// There is no such file, or it ends before.
    pub fn range(&self, path: &str, from: u64, into: &mut [u8]) -> Result<(), FolderError> {
        use std::io::{ErrorKind, Read, Seek, SeekFrom};
        let path = self.0.join(path);
        let mut file = std::fs::File::open(&path).map_err(unreadable(&path))?;
        file.seek(SeekFrom::Start(from)).and_then(|_| file.read_exact(into)).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => FolderError::Short { path: path.display().to_string() },
            _ => unreadable(&path)(e),
        })
    }
}

#[cfg(not(target_family = "wasm"))]
fn unreadable(path: &std::path::Path) -> impl Fn(std::io::Error) -> FolderError {
    let path = path.display().to_string();
    move |e| FolderError::Unreadable { path: path.clone(), why: e.to_string() }
}

#[cfg(not(target_family = "wasm"))]
fn visible(dir: &std::path::Path) -> Result<Vec<String>, FolderError> {
    let entries = std::fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable(dir))?;
    let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| !name.starts_with('.')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The configuration and the weights of a folder's network.
    fn look(names: &[&str]) -> Result<(String, Weights), FolderError> {
        let files = paths(names);
        let config = network_config(&files)?;
        let weights = Weights::beside(&config, &files)?;
        Ok((config, weights))
    }

    fn found(names: &[&str]) -> (String, Weights) {
        look(names).unwrap_or_else(|e| panic!("{names:?}: {e}"))
    }

    fn refused(names: &[&str]) -> String {
        look(names).expect_err("it is refused").to_string()
    }

    #[test]
    fn networks_are_found_in_folders_and_at_the_root() {
        let own = |names: &[&str]| found(names).0;
        assert_eq!(own(&["unet/config.json", "unet/diffusion_pytorch_model.safetensors"]), "unet/config.json");
        let (config, weights) = found(&["config.json", "diffusion_pytorch_model.safetensors", "scheduler_config.json"]);
        assert_eq!(config, "config.json");
        assert_eq!(weights, Weights::Files(paths(&["diffusion_pytorch_model.safetensors"])));
        assert_eq!(
            own(&["transformer/config.json", "transformer/w.safetensors", "README.md"]),
            "transformer/config.json"
        );
    }

    #[test]
    fn variants_shards_and_single_files_are_found() {
        for (names, expected) in [
            (vec!["a.fp16.safetensors"], vec!["a.fp16.safetensors"]),
            (
                vec!["diffusion_pytorch_model.bf16.safetensors", "diffusion_pytorch_model.fp16.safetensors"],
                vec!["diffusion_pytorch_model.fp16.safetensors"],
            ),
            (
                vec!["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors"],
                vec!["diffusion_pytorch_model.safetensors"],
            ),
            (
                vec!["diffusion_pytorch_model.bin", "diffusion_pytorch_model.fp16.safetensors"],
                vec!["diffusion_pytorch_model.fp16.safetensors"],
            ),
            (
                vec!["w-00001-of-00002.safetensors", "w-00002-of-00002.safetensors"],
                vec!["w-00001-of-00002.safetensors", "w-00002-of-00002.safetensors"],
            ),
        ] {
            let all: Vec<String> = names.iter().map(|name| format!("unet/{name}")).collect();
            let with_config = [all, paths(&["unet/config.json", "vae/diffusion_pytorch_model.safetensors"])].concat();
            let expected = expected.iter().map(|name| format!("unet/{name}")).collect();
            assert_eq!(Weights::beside("unet/config.json", &with_config), Ok(Weights::Files(expected)), "{names:?}");
        }
        for index in ["w.safetensors.index.json", "w.safetensors.index.fp16.json"] {
            let (_, weights) = found(&["config.json", "w-00001-of-00002.safetensors", index]);
            assert_eq!(weights, Weights::Index(index.to_owned()));
        }
    }

    #[test]
    fn an_index_names_its_shards_once_each() {
        let files = paths(&["unet/a.safetensors", "unet/b.safetensors"]);
        let json =
            r#"{"metadata": {}, "weight_map": {"x": "b.safetensors", "y": "a.safetensors", "z": "a.safetensors"}}"#;
        assert_eq!(shards("unet/w.index.json", json, &files), Ok(files.clone()));
        for (json, word) in [
            (r#"{"weight_map": {"x": "c.safetensors"}}"#, "unet/c.safetensors is not there"),
            (r#"{"weight_map": {"x": "../../secret"}}"#, "is not there"),
            (r#"{"weight_map": {}}"#, "names no files"),
            (r#"{"weight_map": {"x": 3}}"#, "names no files"),
            ("[]", "no weight_map"),
            ("{", "unet/w.index.json is not an index"),
        ] {
            let message = shards("unet/w.index.json", json, &files).expect_err(json).to_string();
            assert!(message.contains(word), "{json}: {message}");
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (names, words) in [
            (vec!["notes.txt", "README.md"], vec!["neither unet/config.json", "notes.txt, README.md"]),
            (vec![], vec!["it holds nothing"]),
            (
                vec!["config.json", "diffusion_pytorch_model.bin"],
                vec!["in diffusion_pytorch_model.bin", "save_pretrained"],
            ),
            (
                vec!["unet/config.json", "README.md"],
                vec!["no safetensors weights beside unet/config.json", "README.md"],
            ),
            (
                vec!["config.json", "a.safetensors", "b.safetensors"],
                vec!["several weights, a.safetensors, b.safetensors"],
            ),
            (vec!["config.json", "w-00002-of-00003.safetensors"], vec!["in 3 parts", "part 1 is not there"]),
            (vec!["config.json", "1", "2", "3", "4", "5", "6", "7"], vec!["5 and 2 more"]),
        ] {
            let message = refused(&names);
            assert!(words.iter().all(|word| message.contains(word)), "{names:?}: {message}");
        }
    }
}
