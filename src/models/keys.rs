//! Reading a network's `config.json`: every key is used, or refused by its name.

use crate::nn::Activation;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

/// Why a configuration is refused.
#[derive(Debug, Error, PartialEq)]
pub enum ConfigError {
    #[error("The configuration of the {class} is not a JSON object: {problem}.")]
    Json { class: &'static str, problem: String },
    #[error("The configuration of the {class} sets {key} to {value}, but this version supports only {supported}.")]
    Refused { class: &'static str, key: &'static str, value: String, supported: String },
    #[error("The configuration of the {class} sets {key} to {value}, and this version knows no such key.")]
    Unknown { class: &'static str, key: String, value: String },
    #[error("The configuration describes a {got}, where this version expects a {class}.")]
    Class { class: &'static str, got: String },
}

/// The keys of a configuration that were not read yet.
pub(super) struct Keys {
    class: &'static str,
    left: Map<String, Value>,
}

impl Keys {
    /// Those of the configuration `json` of a network of this class.
    pub fn read(class: &'static str, json: &str) -> Result<Self, ConfigError> {
        let left = serde_json::from_str(json).map_err(|e| ConfigError::Json { class, problem: e.to_string() })?;
        Ok(Self { class, left })
    }

    /// The same with keys and values of other versions changed to those of now.
    pub fn renamed(mut self, rename: impl FnOnce(&mut Map<String, Value>)) -> Self {
        rename(&mut self.left);
        self
    }

    /// The class is one of `names`, or is not named.
    pub fn class(&self, names: &[&str]) -> Result<(), ConfigError> {
        match self.left.get("_class_name").and_then(Value::as_str) {
            Some(other) if !names.contains(&other) => {
                Err(ConfigError::Class { class: self.class, got: other.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The value of `key`, or of `default` where it is absent, if it is a `T` that `fits`; `supported` says which do.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        default: impl Into<Value>,
        supported: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<T, ConfigError> {
        let value = self.left.remove(key).unwrap_or_else(|| default.into());
        T::deserialize(&value).ok().filter(fits).ok_or_else(|| self.refused(key, value, supported))
    }

    /// The refusal of a value.
    pub fn refused(&self, key: &'static str, value: Value, supported: &str) -> ConfigError {
        ConfigError::Refused { class: self.class, key, value: shown(&value), supported: supported.to_owned() }
    }

    /// Whether `key` is given and not null; a null is taken.
    pub fn is_set(&mut self, key: &str) -> bool {
        if self.left.get(key).is_some_and(Value::is_null) {
            self.left.remove(key);
        }
        self.left.contains_key(key)
    }

    /// A whole number from 1 to `most`.
    pub fn count(&mut self, key: &'static str, default: usize, most: usize) -> Result<usize, ConfigError> {
        self.take(key, default, &format!("a number from 1 to {most}"), |n| (1..=most).contains(n))
    }

    pub fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        self.take(key, default, "true or false", |_| true)
    }

    /// Nothing, or a whole number from 1 to `most`.
    pub fn maybe(&mut self, key: &'static str, most: usize) -> Result<Option<usize>, ConfigError> {
        let fits = |n: &Option<usize>| n.is_none_or(|n| (1..=most).contains(&n));
        self.take(key, Value::Null, &format!("null or a number from 1 to {most}"), fits)
    }

    /// An activation of a U-Net or an autoencoder.
    pub fn activation(&mut self, key: &'static str, default: &str) -> Result<Activation, ConfigError> {
        self.take(key, default, "\"silu\", \"swish\", \"mish\", \"gelu\" or \"relu\"", |a| {
            matches!(a, Activation::Silu | Activation::Mish | Activation::Gelu | Activation::Relu)
        })
    }

    /// The added part of a variance, which is above 0.
    pub fn eps(&mut self, key: &'static str, default: f64) -> Result<f64, ConfigError> {
        self.take(key, default, "a number above 0 and below 1", |v| *v > 0.0 && *v < 1.0)
    }

    /// A key of which only the values `supported` are built.
    pub fn only(&mut self, key: &'static str, supported: &[Value]) -> Result<(), ConfigError> {
        let listed: Vec<_> = supported.iter().map(Value::to_string).collect();
        let default = supported.first().cloned().unwrap_or_default();
        self.take(key, default, &listed.join(" or "), |v: &Value| supported.contains(v)).map(drop)
    }

    /// One for each of `levels`, where one stands for all.
    pub fn each(
        &mut self,
        key: &'static str,
        default: usize,
        levels: usize,
        most: usize,
    ) -> Result<Vec<usize>, ConfigError> {
        let supported = format!("a number from 1 to {most}, or one for each of block_out_channels");
        let fits =
            |value: &Each<usize>| value.list(levels).iter().all(|n| (1..=most).contains(n)) && value.fits(levels);
        Ok(self.take(key, default, &supported, fits)?.list(levels))
    }

    /// The same of flags.
    pub fn each_flag(&mut self, key: &'static str, levels: usize) -> Result<Vec<bool>, ConfigError> {
        let supported = "true or false, or one for each of block_out_channels";
        Ok(self.take(key, false, supported, |value: &Each<bool>| value.fits(levels))?.list(levels))
    }

    /// Takes keys that say nothing of the network that is built.
    pub fn ignore(&mut self, keys: &[&str]) {
        self.left.retain(|key, _| !key.starts_with('_') && !keys.contains(&key.as_str()));
    }

    /// Only notes are left, which begin with an underscore, and keys that other versions of diffusers know and that are
    /// switched off.
    pub fn all_taken(self) -> Result<(), ConfigError> {
        let is_off = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(keys) => keys.is_empty(),
            Value::Bool(true) => false,
        };
        match self.left.into_iter().find(|(key, value)| !key.starts_with('_') && !is_off(value)) {
            Some((key, value)) => Err(ConfigError::Unknown { class: self.class, key, value: shown(&value) }),
            None => Ok(()),
        }
    }
}

/// The beginning of a value, as a message shows it.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// `sample_size`: one number for both sides, or height and width.
#[derive(serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Size {
    Square(usize),
    Pair([usize; 2]),
}

impl Size {
    pub fn pair(&self) -> [usize; 2] {
        match *self {
            Self::Square(side) => [side, side],
            Self::Pair(pair) => pair,
        }
    }
}

/// A value for every level, or one for each.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Each<T> {
    All(T),
    List(Vec<T>),
}

impl<T: Clone> Each<T> {
    fn fits(&self, levels: usize) -> bool {
        matches!(self, Self::All(_)) || matches!(self, Self::List(list) if list.len() == levels)
    }

    fn list(&self, levels: usize) -> Vec<T> {
        match self {
            Self::All(value) => vec![value.clone(); levels],
            Self::List(list) => list.clone(),
        }
    }
}
