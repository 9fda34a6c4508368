use crate::models::clip_text::ClipTextConfig;
use crate::models::keys::{ConfigError, Keys};
use serde::Deserialize;
use serde_json::{Map, Value};

/// `config.json` of a judge: the sections of its recipe that build the network. That of its training is read over.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeConfig {
    pub section: JudgeSection,
    pub text_encoder: ClipTextConfig,
}

/// `[judge]` of a recipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeSection {
    /// Of the convolutions, each pair of which halves the picture's side.
    pub channels: Vec<usize>,
    /// Of the last map.
    pub side: usize,
    /// Of the vectors that are compared.
    pub size: usize,
}

impl JudgeSection {
    fn can_be_built(&self) -> bool {
        let Self { channels, side, size } = self;
        let is_size = |n: &usize| (1..=4096).contains(n);
        (1..=8).contains(&channels.len())
            && channels.iter().all(|n| is_size(n) && n.is_multiple_of(JudgeConfig::GROUPS))
            && is_size(side)
            && is_size(size)
    }
}

const CLASS: &str = "judge";

impl JudgeConfig {
    /// Of every normalisation.
    pub(super) const GROUPS: usize = 8;

    /// Reads the JSON text of a configuration.
    ///
    /// # Errors
    /// Text that is no JSON object, a section or key that is missing or not known, a value that this version cannot build.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut sections = Keys::read(CLASS, json)?;
        let supported =
            "channels, of which there are one to eight, multiples of 8 up to 4096, with side and size from 1 to 4096";
        let section = sections.take("judge", Value::Null, supported, JudgeSection::can_be_built)?;
        let some = "a section of the recipe";
        let text = sections.take("text_encoder", Value::Null, some, |_: &Map<String, Value>| true)?;
        let tokenizer = sections.take("tokenizer", Value::Null, some, |_: &Map<String, Value>| true)?;
        sections.ignore(&["train"]);
        sections.all_taken()?;

        let mut tokenizer = Keys::read(CLASS, &Value::from(tokenizer).to_string())?;
        let tokens = tokenizer.count("size", 0, 1_000_000)?;
        let text_encoder = ClipTextConfig::from_json(&ClipTextConfig::json(&text, tokens).to_string())?;
        tokenizer.count("length", 0, text_encoder.max_position_embeddings)?;
        tokenizer.all_taken()?;
        Ok(Self { section, text_encoder })
    }
}
