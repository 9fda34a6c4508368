//! What the setting `model` names, and what a person types for a repository of a hub.

use super::given;
use crate::settings;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

/// Where a model comes from.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Origin {
    #[tsify(type = "\"folder\" | \"hub\" | \"own\"")]
    kind: &'static str,
    /// Of the folder, or `owner/name` of a hub's repository.
    name: String,
    revision: Option<String>,
}

/// A repository of a hub that a person named.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct RepositoryName {
    /// As the setting names it.
    model: String,
    /// Another host than Hugging Face's, if an address named one.
    host: Option<String>,
}

/// Where the model of a setting comes from.
#[wasm_bindgen]
pub fn model_origin(model: &str) -> Result<Ts<Origin>, JsValue> {
    let (kind, name, revision) = match settings::Origin::of(model) {
        settings::Origin::Folder => ("folder", model.to_owned(), None),
        settings::Origin::Hub(repository) => ("hub", repository.id, repository.revision),
        settings::Origin::Own(name) => ("own", name, None),
    };
    given(&Origin { kind, name, revision })
}

/// Reads the id of a hub's repository, `owner/name` or `owner/name@revision`, or the address of its page; `null` for what is
/// neither.
#[wasm_bindgen(unchecked_return_type = "RepositoryName | null")]
pub fn read_repository(text: &str) -> Result<JsValue, JsValue> {
    let Some((repository, host)) = settings::Repository::typed(text) else { return Ok(JsValue::NULL) };
    Ok(given(&RepositoryName { model: repository.to_string(), host })?.into())
}

/// How the setting `model` names a folder of a person's own.
#[wasm_bindgen]
pub fn own_model(folder: &str) -> String {
    settings::own_model(folder)
}
