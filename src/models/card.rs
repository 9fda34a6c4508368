//! What is known of a model besides its weights.

use super::LoadError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A name or a sentence in both languages of the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub en: String,
    pub zh: String,
}

/// `unnoise.json`: what a person, and guidance, need to know about a model besides its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Card {
    pub name: Text,
    pub description: Text,
    /// Names of the classes, in the order of their labels. Empty for a model without classes.
    pub classes: Vec<Text>,
    /// The label that stands for no label. `None` if the model was never trained without one, and so has no guidance.
    pub null_class: Option<usize>,
    pub licence: String,
    /// Darkest and brightest value of a picture.
    pub range: [f64; 2],
    /// The colour, red, green and blue, that a picture with transparent parts is laid on.
    pub background: [u8; 3],
    /// Whether estimates of `x_0` are clipped to `range`.
    pub clip_denoised: bool,
    /// The settings that the model starts with, by the keys of a share link.
    pub defaults: BTreeMap<String, Value>,
    /// The folder, beside this one, of a classifier that knows the same classes.
    pub classifier: Option<String>,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            name: Text::default(),
            description: Text::default(),
            classes: Vec::new(),
            null_class: None,
            licence: String::new(),
            range: [-1.0, 1.0],
            background: [0; 3],
            clip_denoised: false,
            defaults: BTreeMap::new(),
            classifier: None,
        }
    }
}

impl Card {
    /// What can be said of a model without a card, whose class embedding has `rows` rows: it has no name, its classes have
    /// numbers for names, none of them stands for no label, and pictures go from -1 to 1, as diffusers' pipelines take them.
    pub(super) fn unsaid(rows: usize) -> Self {
        let class = |i| Text { en: format!("class {i}"), zh: format!("类别 {i}") };
        Self { classes: (0..rows).map(class).collect(), ..Self::default() }
    }

    /// Reads a card for a network whose class embedding has `rows` rows.
    pub(super) fn from_json(json: &str, rows: usize) -> Result<Self, LoadError> {
        let card: Self = serde_json::from_str(json).map_err(|e| LoadError::Card(e.to_string()))?;
        let labels = card.classes.len().max(card.null_class.map_or(0, |null| null + 1));
        let [dark, bright] = card.range;
        if labels > rows {
            Err(LoadError::Card(format!("classes and null_class use {labels} labels, but the network knows {rows}")))
        } else if !(dark.is_finite() && bright.is_finite() && dark < bright) {
            Err(LoadError::Card(format!("range {:?} does not run from a dark value to a bright one", card.range)))
        } else {
            Ok(card)
        }
    }
}
