//! What is known of a model besides its weights.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a model's card cannot be used.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("unnoise.json is not a model card: {0}.")]
pub struct CardError(pub(crate) String);

/// A name or a sentence in both languages of the page. A card that has it in one says the same in the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Said")]
pub struct Text {
    pub en: String,
    pub zh: String,
}

/// A text as a card has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    en: Option<String>,
    zh: Option<String>,
}

impl TryFrom<Said> for Text {
    type Error = &'static str;

    fn try_from(Said { en, zh }: Said) -> Result<Self, Self::Error> {
        let one = en.clone().or(zh.clone()).ok_or("a text needs `en` or `zh`")?;
        Ok(Self { en: en.unwrap_or_else(|| one.clone()), zh: zh.unwrap_or(one) })
    }
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
    /// Parts that lie in the folder of another model beside this one: the part's folder, and the other model's.
    pub parts: BTreeMap<String, String>,
    /// Prompts that show what a model of words can do.
    pub prompts: Prompts,
}

/// Suggestions in both languages of the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prompts {
    pub en: Vec<String>,
    pub zh: Vec<String>,
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
            parts: BTreeMap::new(),
            prompts: Prompts::default(),
        }
    }
}

impl Card {
    /// What can be said of a model without a card, whose class embedding has `rows` rows: it has no name, its classes have
    /// numbers for names, none of them stands for no label, and pictures go from -1 to 1, as diffusers' pipelines take them.
    pub fn unsaid(rows: usize) -> Self {
        let class = |i| Text { en: format!("class {i}"), zh: format!("类别 {i}") };
        Self { classes: (0..rows).map(class).collect(), ..Self::default() }
    }

    /// Reads a card.
    ///
    /// # Errors
    /// A text that is no card; a range or a part that can be none.
    pub fn from_json(json: &str) -> Result<Self, CardError> {
        let card: Self = serde_json::from_str(json).map_err(|e| CardError(e.to_string()))?;
        let [dark, bright] = card.range;
        // The name becomes a part of an address, which must not lead out of the folder of all models.
        let leads_out = |name: &&String| name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':']);
        if !(dark.is_finite() && bright.is_finite() && dark < bright) {
            Err(CardError(format!("range {:?} does not run from a dark value to a bright one", card.range)))
        } else if let Some(name) = card.parts.values().find(leads_out) {
            Err(CardError(format!("in parts, {name:?} is not the name of a folder beside this one")))
        } else {
            Ok(card)
        }
    }

    /// Whether the card fits a network whose class embedding has `rows` rows.
    ///
    /// # Errors
    /// It names more labels than there are rows.
    pub fn fits(&self, rows: usize) -> Result<(), CardError> {
        let labels = self.classes.len().max(self.null_class.map_or(0, |null| null.saturating_add(1)));
        match labels > rows {
            true => Err(CardError(format!("classes and null_class use {labels} labels, but the network knows {rows}"))),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_beyond_every_number_is_refused() {
        let card = Card::from_json(&format!(r#"{{"null_class": {}}}"#, usize::MAX)).unwrap();
        assert!(card.fits(11).unwrap_err().to_string().contains("but the network knows 11"));
    }

    #[test]
    fn a_text_in_one_language_says_the_same_in_the_other() {
        let read = |name: &str| Card::from_json(&format!(r#"{{"name": {name}}}"#)).map(|card| card.name);
        let text = |en: &str, zh: &str| Text { en: en.into(), zh: zh.into() };
        assert_eq!(read(r#"{"en": "Dots", "zh": "点"}"#).unwrap(), text("Dots", "点"));
        assert_eq!(read(r#"{"en": "Dots"}"#).unwrap(), text("Dots", "Dots"));
        assert_eq!(read(r#"{"zh": "点"}"#).unwrap(), text("点", "点"));
        assert!(read("{}").unwrap_err().to_string().contains("a text needs `en` or `zh`"));
        assert!(read(r#"{"fr": "Points"}"#).unwrap_err().to_string().contains("unknown field `fr`"));
    }
}
