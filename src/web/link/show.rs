//! What is looked at beside the stage, as the page's key `show` has it.

use super::{given, taken};
use crate::settings::Show;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// A picture of the run, large, or the forward process on the start picture.
#[derive(Serialize, Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Look {
    #[tsify(type = "\"large\" | \"forward\"")]
    view: String,
    /// Counted from 1; of the forward process there is one alone.
    #[serde(default)]
    image: Option<usize>,
    /// `null` is the last one of a run, and the middle of the forward process.
    #[serde(default)]
    step: Option<usize>,
}

/// What the setting `show` says; `null` for nothing.
#[wasm_bindgen(unchecked_return_type = "Look | null")]
pub fn read_show(show: &str) -> Result<JsValue, JsValue> {
    let look = match show.parse() {
        Ok(Show::Large { image, step }) => Look { view: "large".to_owned(), image: Some(image), step },
        Ok(Show::Forward { step }) => Look { view: "forward".to_owned(), image: None, step },
        Err(_) => return Ok(JsValue::NULL),
    };
    Ok(given(&look)?.into())
}

/// The same as the setting has it.
#[wasm_bindgen]
pub fn write_show(look: Ts<Look>) -> Result<String, JsValue> {
    let Look { view, image, step } = taken(&look)?;
    let show = if view == "large" { Show::Large { image: image.unwrap_or(1), step } } else { Show::Forward { step } };
    Ok(show.to_string())
}
