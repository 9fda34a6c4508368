//! The shipped models and the list of them that the page reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::files;

/// A text in the page's languages, or in one of them.
#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(skip_serializing_if = "Option::is_none")]
    en: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zh: Option<String>,
}

/// What the index takes from a model's `unnoise.json`.
#[derive(Serialize, Deserialize)]
struct Card {
    name: Text,
    description: Text,
    #[serde(default)]
    licence: String,
    /// The settings that the model starts with, by the keys of a share link; the engine judges them.
    #[serde(default)]
    defaults: Map<String, Value>,
    /// Prompts that show what a model of words can do, by language.
    #[serde(default)]
    prompts: BTreeMap<String, Vec<String>>,
    /// The folder of the classifier that can lead it.
    #[serde(default, skip_serializing)]
    classifier: Option<String>,
    /// Parts that lie in the folder of another model beside it.
    #[serde(default, skip_serializing)]
    parts: BTreeMap<String, String>,
    #[serde(default, skip_serializing)]
    classes: Vec<Text>,
}

#[derive(Serialize)]
struct Asset {
    bytes: usize,
    /// Hexadecimal.
    sha256: String,
}

/// A row of `models/index.json`.
#[derive(Serialize)]
struct Row {
    /// The folder's name.
    id: String,
    #[serde(flatten)]
    card: Card,
    /// The name of the folder's small picture, if it has one.
    thumbnail: Option<&'static str>,
    /// Under which title the gallery has it.
    kind: Kind,
    /// The file, by its path from the folder of all models, of what a model of words was trained on.
    vocabulary: Option<String>,
    /// The file, likewise, of what test pictures there are of its data set, by training/test_pictures.py.
    pictures: Option<String>,
    /// What tells it what to draw: `none`, `classes` or `text`.
    conditioning: &'static str,
    /// The name of its model card for people, if it has one.
    readme: Option<&'static str>,
    /// What a visitor downloads to run the model.
    bytes: usize,
    /// By path from the folder; those of another model's begin with `../`, so that both are kept once.
    files: BTreeMap<String, Asset>,
    classifier: Option<Classifier>,
}

/// What kind of model it is, to whoever looks for one.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// It draws what a text says.
    Text,
    /// Its process is variance-exploding, and its output a score.
    Score,
    /// It draws things of its classes, or of its one kind.
    Classes,
}

/// What a visitor downloads for guidance by a classifier.
#[derive(Serialize)]
struct Classifier {
    /// The folder's name.
    id: String,
    files: BTreeMap<String, Asset>,
}

/// The order of the gallery, the page's first choice first. Folders that are not named here come after these, by name.
const ORDER: [&str; 6] = ["emoji-text", "emoji-text-turbo", "fashion-mnist", "mnist", "fashion-flow", "mnist-score"];
/// Models that a published page has no room for; the command line has them.
const AT_HOME: [&str; 2] = ["emoji-32", "emoji-32-classifier"];
/// What runs every model.
const FILES: [&str; 4] = ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", SCHEDULER, CARD];
/// What runs models of latents and of words besides: parts, and the files that are read of each where they are there.
const PARTS: [(&str, &[&str]); 3] = [
    ("vae", &["config.json", "diffusion_pytorch_model.safetensors"]),
    ("text_encoder", &["config.json", "model.safetensors"]),
    ("tokenizer", &["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"]),
];
/// What runs a classifier.
const CLASSIFIER_FILES: [&str; 2] = ["config.json", "diffusion_pytorch_model.safetensors"];
const CARD: &str = "unnoise.json";
const SCHEDULER: &str = "scheduler/scheduler_config.json";
/// What prompts of a model of words can be made of, by training/vocabulary.py.
const VOCABULARY: &str = "vocabulary.json";
/// What test pictures there are, by training/test_pictures.py; they lie in a PNG beside it.
const PICTURES: &str = "pictures.json";
/// What diffusers writes into the folder of a whole pipeline.
const PIPELINE: &str = "model_index.json";
/// A network that draws nothing worth seeing.
const SELF_TEST: &str = "selftest";
const THUMBNAIL: &str = "thumbnail.png";
const README: &str = "README.md";
/// A published site stays small enough for any host, and for a person's patience.
const MOST_BYTES: u64 = 45_000_000;

/// `models/index.json`: a row for each folder that has an `unnoise.json`.
pub fn index(models: &Path) -> Result<String> {
    let cards = files::list(models)?.into_iter().filter(|path| path.ends_with(CARD));
    let mut folders: Vec<_> = cards.filter_map(|card| card.parent().map(Path::to_owned)).collect();
    folders.retain(|folder| !AT_HOME.iter().any(|name| folder.ends_with(name)));
    folders.sort_by_key(|folder| ORDER.iter().position(|name| folder.ends_with(name)).unwrap_or(ORDER.len()));
    let described =
        |folder: &PathBuf| row(folder).with_context(|| format!("the model in {} cannot be listed", folder.display()));
    Ok(serde_json::to_string(&folders.iter().map(described).collect::<Result<Vec<_>>>()?)?)
}

fn row(folder: &Path) -> Result<Row> {
    let card: Card = serde_json::from_slice(&fs::read(folder.join(CARD))?).context("in unnoise.json")?;
    let mut paths: Vec<String> = FILES.map(str::to_owned).into();
    paths.extend(folder.join(PIPELINE).is_file().then(|| PIPELINE.to_owned()));
    for (part, names) in PARTS {
        let place = card.parts.get(part).map_or(part.to_owned(), |other| format!("../{other}/{part}"));
        let named = names.iter().map(|name| format!("{place}/{name}"));
        paths.extend(named.filter(|path| folder.join(path).is_file()));
    }
    let conditioning = match () {
        () if paths.iter().any(|path| path.ends_with("tokenizer/vocab.json")) => "text",
        () if !card.classes.is_empty() => "classes",
        () => "none",
    };
    let kind = match conditioning {
        "text" => Kind::Text,
        _ if explodes(folder)? => Kind::Score,
        _ => Kind::Classes,
    };
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let reader = card.parts.get("tokenizer").unwrap_or(&id);
    let beside = |file| folder.with_file_name(reader).join(file).is_file().then(|| format!("{reader}/{file}"));
    let [vocabulary, pictures] = [VOCABULARY, PICTURES].map(beside);
    let files = assets(folder, &paths)?;
    let classifier = card.classifier.as_ref().map(|id| {
        let files = assets(&folder.with_file_name(id), &CLASSIFIER_FILES.map(str::to_owned))
            .with_context(|| format!("in {id}"))?;
        Ok::<_, anyhow::Error>(Classifier { id: id.clone(), files })
    });
    let bytes = files.values().map(|asset| asset.bytes).sum();
    let [thumbnail, readme] = [THUMBNAIL, README].map(|name| folder.join(name).is_file().then_some(name));
    Ok(Row {
        id,
        card,
        kind,
        vocabulary,
        pictures,
        thumbnail,
        readme,
        conditioning,
        bytes,
        files,
        classifier: classifier.transpose()?,
    })
}

/// Whether the model's process is variance-exploding: its scheduler has a largest sigma.
fn explodes(folder: &Path) -> Result<bool> {
    let config: Value =
        serde_json::from_slice(&fs::read(folder.join(SCHEDULER))?).context("in scheduler_config.json")?;
    Ok(config.get("sigma_max").is_some())
}

/// The facts of these files of a folder.
fn assets(folder: &Path, files: &[String]) -> Result<BTreeMap<String, Asset>> {
    let asset = |path: &String| {
        let bytes = fs::read(folder.join(path)).with_context(|| format!("cannot read {path}"))?;
        Ok((path.clone(), Asset { bytes: bytes.len(), sha256: format!("{:x}", Sha256::digest(&bytes)) }))
    };
    files.iter().map(asset).collect()
}

/// What the weights of a published page weigh together, classifiers and the lab's networks too.
///
/// # Errors
/// It is more than a site may carry.
pub fn weigh(models: &Path) -> Result<u64> {
    let weights = shipped(models)?.into_iter().filter(|path| files::has_ending(path, &["safetensors"]));
    let bytes = weights.map(|path| Ok(fs::metadata(path)?.len())).sum::<Result<u64>>()?;
    ensure!(
        bytes <= MOST_BYTES,
        "the weights in {} are {:.1} MB and a site carries at most {:.0}: leave a model out",
        models.display(),
        bytes as f64 / 1e6,
        MOST_BYTES as f64 / 1e6
    );
    Ok(bytes)
}

/// The files that a published page carries: what runs a model and what describes it.
pub fn shipped(models: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = files::list(models)?;
    let named = |path: &Path| path.ends_with("LICENSE") || path.ends_with("merges.txt");
    paths.retain(|path| files::has_ending(path, &["json", "safetensors", "md", "png"]) || named(path));
    paths.retain(|path| !AT_HOME.iter().any(|name| path.starts_with(models.join(name))));
    // The engine's own test travels with the engine.
    paths.retain(|path| !path.starts_with(models.join(SELF_TEST)));
    // The page lists no pipeline without a card; the command line draws from it.
    let unlisted = |folder: &Path| folder.join(PIPELINE).is_file() && !folder.join(CARD).is_file();
    paths.retain(|path| !path.ancestors().any(unlisted));
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Folders of models with these names, and one that is no model.
    fn models(names: &[&str]) -> tempfile::TempDir {
        let models = tempfile::tempdir().unwrap();
        for name in names {
            for file in FILES {
                write(models.path(), &format!("{name}/{file}"), b"{}");
            }
            let card = json!({"name": {"en": name, "zh": "名"}, "description": {"en": "", "zh": ""}, "defaults": {"steps": 4}});
            write(models.path(), &format!("{name}/{CARD}"), card.to_string().as_bytes());
        }
        for file in CLASSIFIER_FILES {
            write(models.path(), &format!("dots-classifier/{file}"), b"{}");
        }
        models
    }

    fn write(models: &Path, file: &str, bytes: &[u8]) {
        let path = models.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_gallery_has_its_order_and_new_folders_come_last() {
        let models = models(&["a", "mnist-score", "b", "mnist", "fashion-mnist"]);
        write(models.path(), "b/thumbnail.png", b"a picture");
        write(models.path(), "b/README.md", b"# Words");
        let one = json!({"name": {"en": "b"}, "description": {"zh": "点"}, "defaults": {"steps": 4}});
        write(models.path(), "b/unnoise.json", one.to_string().as_bytes());
        let rows: Value = serde_json::from_str(&index(models.path()).unwrap()).unwrap();
        let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["fashion-mnist", "mnist", "mnist-score", "a", "b"]);
        assert_eq!((&rows[3]["thumbnail"], &rows[4]["thumbnail"]), (&Value::Null, &json!(THUMBNAIL)));
        assert_eq!((&rows[4]["defaults"], &rows[4]["name"]["en"]), (&json!({"steps": 4}), &json!("b")));
        assert_eq!((&rows[3]["readme"], &rows[4]["readme"]), (&Value::Null, &json!(README)));
        assert_eq!((&rows[4]["description"]["en"], &rows[4]["description"]["zh"]), (&Value::Null, &json!("点")));
        let sizes = rows[4]["files"].as_object().unwrap().values().map(|file| file["bytes"].as_u64().unwrap());
        assert_eq!(rows[4]["bytes"].as_u64(), Some(sizes.sum()));
    }

    #[test]
    fn a_classifier_is_listed_with_the_model_that_names_it() {
        let models = models(&["a", "b"]);
        let card =
            json!({"name": {"en": "", "zh": ""}, "description": {"en": "", "zh": ""}, "classifier": "dots-classifier"});
        write(models.path(), "b/unnoise.json", card.to_string().as_bytes());
        let rows: Value = serde_json::from_str(&index(models.path()).unwrap()).unwrap();
        assert_eq!((&rows[0]["classifier"], &rows[1]["classifier"]["id"]), (&Value::Null, &json!("dots-classifier")));
        assert_eq!(rows[1]["classifier"]["files"]["config.json"]["bytes"], json!(2));
        fs::remove_dir_all(models.path().join("dots-classifier")).unwrap();
        let message = format!("{:#}", index(models.path()).unwrap_err());
        assert!(message.contains("b cannot be listed: in dots-classifier: cannot read config.json"), "{message}");
    }

    #[test]
    fn parts_of_another_model_are_listed_by_their_place_in_it() {
        let models = models(&["words", "fast", "emoji-32"]);
        for file in ["vae/config.json", "text_encoder/model.safetensors", "tokenizer/vocab.json", "tokenizer/log.csv"] {
            write(models.path(), &format!("words/{file}"), b"{}");
        }
        let card = json!({"name": {"en": "", "zh": ""}, "description": {"en": "", "zh": ""},
            "parts": {"vae": "words", "tokenizer": "words"}, "prompts": {"en": ["a"]}});
        write(models.path(), &format!("fast/{CARD}"), card.to_string().as_bytes());
        let rows: Value = serde_json::from_str(&index(models.path()).unwrap()).unwrap();
        let [fast, words] = [&rows[0], &rows[1]];
        assert_eq!((rows.as_array().unwrap().len(), &fast["id"], &words["id"]), (2, &json!("fast"), &json!("words")));
        assert_eq!(fast["files"]["../words/vae/config.json"]["bytes"], json!(2));
        assert_eq!((&fast["conditioning"], &words["conditioning"]), (&json!("text"), &json!("text")));
        assert_eq!(
            (&fast["files"]["vae/config.json"], &words["files"]["tokenizer/log.csv"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!((&fast["prompts"], &fast["parts"]), (&json!({"en": ["a"]}), &Value::Null));
        assert!(!shipped(models.path()).unwrap().iter().any(|path| path.starts_with(models.path().join("emoji-32"))));
    }

    #[test]
    fn a_model_that_lacks_a_file_is_named() {
        let models = models(&["a"]);
        fs::remove_file(models.path().join("a/unet/config.json")).unwrap();
        let message = format!("{:#}", index(models.path()).unwrap_err());
        assert!(message.contains("a cannot be listed: cannot read unet/config.json"), "{message}");
    }

    #[test]
    fn a_pipeline_without_a_card_stays_at_home() {
        let models = models(&["a"]);
        for file in [PIPELINE, "unet/weights.safetensors"] {
            write(models.path(), &format!("text/{file}"), b"{}");
        }
        let folder = models.path().join("text");
        assert!(!shipped(models.path()).unwrap().iter().any(|path| path.starts_with(&folder)));
        write(models.path(), &format!("text/{CARD}"), b"{}");
        assert!(shipped(models.path()).unwrap().iter().any(|path| path.starts_with(&folder)));
    }

    #[test]
    fn weights_have_a_bound() {
        let models = models(&["a"]);
        assert_eq!(weigh(models.path()).unwrap(), 4);
        let large = fs::File::create(models.path().join("dots-classifier/weights.safetensors")).unwrap();
        large.set_len(MOST_BYTES).unwrap();
        assert!(weigh(models.path()).unwrap_err().to_string().contains("are 45.0 MB and a site carries at most 45"));
    }
}
