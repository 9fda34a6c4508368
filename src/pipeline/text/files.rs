//! The files of a tokenizer's folder.

use super::bpe::Bpe;
use super::tokenizer::{Added, Tokenizer};
use serde_json::{Map, Value};
use std::collections::HashMap;
use thiserror::Error;

/// The texts of a tokenizer's files: `vocab.json` with `merges.txt`, or `tokenizer.json`.
#[derive(Clone, Debug, Default)]
pub struct TokenizerFiles {
    /// `vocab.json`.
    pub vocab: Option<String>,
    /// `merges.txt`.
    pub merges: Option<String>,
    /// `tokenizer.json`, which is read where one of the two is missing.
    pub tokenizer: Option<String>,
    /// `tokenizer_config.json`.
    pub config: Option<String>,
    /// `special_tokens_map.json`.
    pub special_tokens: Option<String>,
    /// `added_tokens.json`.
    pub added_tokens: Option<String>,
}

/// Why a tokenizer cannot be used.
#[derive(Debug, Error, PartialEq)]
pub enum TokenizerError {
    #[error("The tokenizer has no {0}; it needs vocab.json with merges.txt, or tokenizer.json.")]
    Missing(&'static str),
    #[error("The tokenizer's {file} is not readable: {problem}.")]
    Malformed { file: &'static str, problem: String },
    #[error("The tokenizer's merge {line} needs the symbol {symbol:?}, which the vocabulary does not have.")]
    Merge { line: usize, symbol: String },
    #[error("The tokenizer's vocabulary does not have the {role} token {content:?}.")]
    Token { role: &'static str, content: String },
    #[error("The tokenizer is {0}; only CLIP's byte-level byte-pair encoding is supported.")]
    Kind(String),
    #[error("The tokenizer's model_max_length is {0}, but the start and the end token alone are 2.")]
    Length(u64),
    #[error("{path} cannot be read ({problem}).")]
    File { path: String, problem: String },
}

/// The start token where no file names one; the end token stands for the rest.
pub const START: &str = "<|startoftext|>";
pub const END: &str = "<|endoftext|>";

/// The length of every published CLIP, where `tokenizer_config.json` does not say.
const LENGTH: usize = 77;

/// Above this a `model_max_length` means that there is none.
const NO_LENGTH: f64 = 1e9;

/// Vocabulary and merges, whichever file they are from.
struct Model {
    vocab: HashMap<String, u32>,
    merges: Vec<(String, String)>,
}

impl Tokenizer {
    /// Reads the texts of a tokenizer's files.
    ///
    /// # Errors
    /// A file that is missing, no JSON or of another kind of tokenizer; merges or special tokens that the vocabulary does not have.
    pub fn load(files: &TokenizerFiles) -> Result<Self, TokenizerError> {
        let config = object("tokenizer_config.json", files.config.as_deref())?;
        let whole = match (&files.vocab, &files.merges) {
            (Some(_), Some(_)) => Map::new(),
            _ => object("tokenizer.json", files.tokenizer.as_deref())?,
        };
        let mut model = Model::read(files, &whole)?;
        let mut listed: HashMap<String, bool> = HashMap::new();
        let mut list = |model: &mut Model, id: Option<u64>, token: &Value| {
            let (Some(content), Some(id)) = (content(token), id) else { return };
            listed.insert(content.to_owned(), token["normalized"] == true);
            model.vocab.entry(content.to_owned()).or_insert(id as u32);
        };
        let decoder = config.get("added_tokens_decoder").and_then(Value::as_object);
        for (id, token) in decoder.into_iter().flatten() {
            list(&mut model, id.parse().ok(), token);
        }
        for token in whole.get("added_tokens").and_then(Value::as_array).into_iter().flatten() {
            list(&mut model, token["id"].as_u64(), token);
        }
        // What transformers saved before it wrote `added_tokens_decoder` stands in files of their own.
        let legacy = |file, text: &Option<String>| match decoder {
            Some(_) => Ok(Map::new()),
            None => object(file, text.as_deref()),
        };
        for (content, id) in legacy("added_tokens.json", &files.added_tokens)? {
            list(&mut model, id.as_u64(), &serde_json::json!({"content": content, "normalized": true}));
        }
        let special = legacy("special_tokens_map.json", &files.special_tokens)?;
        let mut roles: HashMap<String, bool> = HashMap::new();
        let mut id = |role: &'static str, key: &str, default: &str| {
            let token = special.get(key).or_else(|| config.get(key)).filter(|token| !token.is_null());
            let content = token.and_then(content).unwrap_or(default).to_owned();
            let id = model.vocab.get(&content).copied();
            // A token of two roles is looked for after normalising only if it is in both.
            let normalized = token.is_some_and(|token| token["normalized"] == true);
            *roles.entry(content.clone()).or_insert(normalized) &= normalized;
            id.ok_or(TokenizerError::Token { role, content })
        };
        let start = id("start", "bos_token", START)?;
        let end = id("end", "eos_token", END)?;
        let padding = id("padding", "pad_token", END)?;
        let unknown = id("unknown", "unk_token", END)?;
        let merges = model.merges.iter().map(|(left, right)| (left.as_str(), right.as_str()));
        let bpe = Bpe::new(&model.vocab, merges, unknown)?;
        roles.extend(listed);
        let token = |(content, normalized): (String, bool)| {
            let id = model.vocab.get(&content).copied()?;
            (!content.is_empty()).then_some(Added { content, id, normalized })
        };
        let mut added: Vec<Added> = roles.into_iter().filter_map(token).collect();
        added.sort_by(|a, b| a.content.cmp(&b.content));
        Ok(Self { bpe, added, start, end, padding, length: length(&config)? })
    }

    /// Reads a tokenizer's folder, or the folder `tokenizer` of a pipeline.
    ///
    /// # Errors
    /// As [`load`](Self::load), and a file that cannot be read.
    #[cfg(not(target_family = "wasm"))]
    pub fn from_dir(dir: &std::path::Path) -> Result<Self, TokenizerError> {
        let inner = dir.join("tokenizer");
        let dir = if inner.is_dir() { &inner } else { dir };
        let read = |name: &str| {
            let path = dir.join(name);
            let problem =
                |e: std::io::Error| TokenizerError::File { path: path.display().to_string(), problem: e.to_string() };
            path.exists().then(|| std::fs::read_to_string(&path).map_err(problem)).transpose()
        };
        Self::load(&TokenizerFiles {
            vocab: read("vocab.json")?,
            merges: read("merges.txt")?,
            tokenizer: read("tokenizer.json")?,
            config: read("tokenizer_config.json")?,
            special_tokens: read("special_tokens_map.json")?,
            added_tokens: read("added_tokens.json")?,
        })
    }
}

impl Model {
    fn read(files: &TokenizerFiles, whole: &Map<String, Value>) -> Result<Self, TokenizerError> {
        if let (Some(vocab), Some(merges)) = (&files.vocab, &files.merges) {
            let vocab = serde_json::from_str(vocab);
            let vocab = vocab.map_err(|e| TokenizerError::Malformed {
                file: "vocab.json",
                problem: format!("it must map tokens to ids ({e})"),
            })?;
            let lines = merges.lines().filter(|line| !line.starts_with("#version") && !line.trim().is_empty());
            let merges = lines.map(|line| pair("merges.txt", line)).collect::<Result<_, _>>()?;
            return Ok(Self { vocab, merges });
        }
        if files.tokenizer.is_none() {
            return Err(TokenizerError::Missing(if files.vocab.is_none() { "vocab.json" } else { "merges.txt" }));
        }
        let model = whole.get("model").cloned().unwrap_or_default();
        let text = |key: &str| model[key].as_str().unwrap_or("of no kind that is named").to_owned();
        if text("type") != "BPE" {
            return Err(TokenizerError::Kind(text("type")));
        }
        if model["end_of_word_suffix"] != "</w>" {
            return Err(TokenizerError::Kind("BPE without \"</w>\" at the end of words".to_owned()));
        }
        const FILE: &str = "tokenizer.json";
        let malformed = |problem: String| TokenizerError::Malformed { file: FILE, problem };
        let vocab = serde_json::from_value(model["vocab"].clone()).map_err(|e| malformed(e.to_string()))?;
        let merges = model["merges"].as_array().ok_or_else(|| malformed("it has no merges".to_owned()))?;
        let merge = |merge: &Value| match merge {
            Value::String(line) => pair(FILE, line),
            pair => serde_json::from_value(pair.clone()).map_err(|e| malformed(e.to_string())),
        };
        Ok(Self { vocab, merges: merges.iter().map(merge).collect::<Result<_, _>>()? })
    }
}

/// The two symbols of a merge.
fn pair(file: &'static str, line: &str) -> Result<(String, String), TokenizerError> {
    let mut symbols = line.split_whitespace();
    match (symbols.next(), symbols.next(), symbols.next()) {
        (Some(left), Some(right), None) => Ok((left.to_owned(), right.to_owned())),
        _ => Err(TokenizerError::Malformed { file, problem: format!("{line:?} is not a pair of symbols") }),
    }
}

/// The JSON object of a file that may be absent.
fn object(file: &'static str, text: Option<&str>) -> Result<Map<String, Value>, TokenizerError> {
    let Some(text) = text else { return Ok(Map::new()) };
    serde_json::from_str(text)
        .map_err(|e| TokenizerError::Malformed { file, problem: format!("it is no JSON object ({e})") })
}

/// A token, written as a string or as an object with its flags.
fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token["content"].as_str())
}

fn length(config: &Map<String, Value>) -> Result<usize, TokenizerError> {
    match config.get("model_max_length").and_then(Value::as_f64).filter(|length| *length < NO_LENGTH) {
        None => Ok(LENGTH),
        Some(length) if length < 2.0 => Err(TokenizerError::Length(length as u64)),
        Some(length) => Ok(length as usize),
    }
}
