//! Settings as they cross to JavaScript and back.

use crate::settings::Value;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use tsify::Tsify;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const VALUE: &str = "export type Value = number | string;";

/// Every key of a settings table with its value; keys of the sampler's parameters and of the page only where they are
/// set. An infinite number is the text `inf`. A key that is `undefined` or null is not set.
#[derive(Default, Serialize, Deserialize, Tsify)]
pub struct Settings(
    #[tsify(type = "Record<string, Value>")]
    #[serde(deserialize_with = "those_set")]
    pub BTreeMap<String, Value>,
);

fn those_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let all = BTreeMap::<String, Option<Value>>::deserialize(deserializer)?;
    Ok(all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
}

impl Settings {
    pub fn pairs(self) -> Vec<(String, Value)> {
        self.0.into_iter().collect()
    }
}
