//! The browser's doors. `link` is the module of the page's main thread; [`Engine`], for either backend, and the lab are those of its
//! workers.
//!
//! Values cross by `serde-wasm-bindgen` as objects of the types that TypeScript knows, pixels and points as typed arrays.

#[cfg(feature = "engine")]
mod engine;
#[cfg(any(feature = "engine", feature = "laboratory"))]
mod fault;
#[cfg(feature = "laboratory")]
mod lab;
#[cfg(feature = "link")]
mod link;
#[cfg(feature = "engine")]
mod source;
#[cfg(any(feature = "engine", feature = "laboratory"))]
mod stream;

use crate::settings::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const VALUE: &str = "export type Value = number | string;";

/// Every key of a settings table with its value; keys of the sampler's parameters and of the page only where they are
/// set. An infinite number is the text `inf`. A key that is `undefined` or null is not set.
#[derive(Default, Serialize, Deserialize, Tsify)]
pub struct Settings(
    #[tsify(type = "Record<string, Value>")]
    #[serde(deserialize_with = "those_set")]
    BTreeMap<String, Value>,
);

fn those_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let all = BTreeMap::<String, Option<Value>>::deserialize(deserializer)?;
    Ok(all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
}

impl Settings {
    fn pairs(self) -> Vec<(String, Value)> {
        self.0.into_iter().collect()
    }
}

/// What JavaScript gave.
fn taken<T: Tsify<JsType: Clone> + DeserializeOwned>(given: &Ts<T>) -> Result<T, JsValue> {
    Ok(given.to_rust().map_err(JsError::from)?)
}

/// What JavaScript gets.
fn given<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, JsValue> {
    Ok(value.into_ts().map_err(JsError::from)?)
}

/// A value as a plain object; bytes in it as typed arrays, and what is missing as `null`.
#[cfg(any(feature = "engine", feature = "laboratory"))]
fn object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let plain = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true).serialize_missing_as_null(true);
    Ok(value.serialize(&plain)?)
}
