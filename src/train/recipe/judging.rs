//! Recipes of the judge of text models: encoders of pictures and captions.

use super::scenes::{TokenizerSection, check_scenes, check_text};
use super::{RecipeError, Tables, Train};
use crate::dataset::scenes::{SceneData, Shares};
use crate::models::judge::JudgeSection;
use serde_json::{Value, json};
use toml::Table;

/// A recipe of a judge.
#[derive(Clone, Debug)]
pub struct Judging {
    pub data: SceneData,
    pub scenes: Shares,
    pub tokenizer: TokenizerSection,
    /// `config.json`: the sections that build the network, and how it was trained.
    pub config: Value,
}

impl Judging {
    pub(super) fn read(tables: &Tables, train: &Train) -> Result<Self, RecipeError> {
        tables.only(&["data", "scenes", "tokenizer", "text_encoder", "judge", "train"])?;
        tables.section::<JudgeSection>("judge")?;
        let of = |section: &'static str| tables.section::<Table>(section);
        let recipe = Self {
            data: tables.section("data")?,
            scenes: tables.section("scenes")?,
            tokenizer: tables.section("tokenizer")?,
            config: json!({
                "judge": of("judge")?,
                "text_encoder": of("text_encoder")?,
                "tokenizer": of("tokenizer")?,
                "train": of("train")?,
            }),
        };
        check_scenes(&recipe.scenes, tables, train)?;
        check_text(&recipe.tokenizer, tables)?;
        Ok(recipe)
    }
}
