//! The browser's doors. `link` is the module of the page's main thread; [`Engine`], for either backend, and the lab are those of its
//! workers.
//!
//! Values cross by `serde-wasm-bindgen` as objects of the types that TypeScript knows, pixels and points as typed arrays.

#[cfg(feature = "engine")]
mod engine;
#[cfg(any(feature = "engine", feature = "laboratory"))]
mod fault;
#[cfg(feature = "film")]
mod film;
#[cfg(feature = "laboratory")]
mod lab;
#[cfg(feature = "link")]
mod link;
#[cfg(feature = "engine")]
mod source;
#[cfg(any(feature = "engine", feature = "laboratory"))]
mod stream;
#[cfg(any(feature = "engine", feature = "laboratory", feature = "link"))]
mod values;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tsify::{Ts, Tsify};
#[cfg(any(feature = "engine", feature = "laboratory", feature = "link"))]
use values::Settings;
use wasm_bindgen::prelude::*;

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
